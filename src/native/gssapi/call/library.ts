/**
 * Loads the GSSAPI library and binds the functions of GSSAPI and libkrb5 that a server needs. All pointers are passed
 * as addresses; frame.ts prepares the memory. Such calls take a fifth of the time of calls for which koffi copies
 * structures.
 *
 * A library is loaded on first use, once per process.
 */
import { isUtf8 } from 'node:buffer';
import { existsSync } from 'node:fs';
import { SspiAuthError } from '../../../foundation/errors.ts';
import { koffi, openLibrary } from '../../koffi.ts';
import type { LibraryHandle, NativeFunction } from '../../koffi.ts';
import { gssFunctions, krb5Functions, numberArguments, results } from './gssapi-functions.ts';
import { heimdalGssFunctions, heimdalKrb5Functions } from './heimdal-functions.ts';
import { gssapiLayout, gssapiLocationOf, gssapiLocations, implementationOf } from './layout.ts';
import type { FunctionTable, GssapiLayout, GssapiLocation, Implementation } from './layout.ts';
import { krb5ConfigurationFault } from './krb5-configuration.ts';
import { mitGssFunctions, mitKrb5Functions } from './mit-functions.ts';

type Functions<T extends FunctionTable> = Readonly<Record<keyof T, NativeFunction>>;

/** The functions of both implementations. A function that the loaded library does not have throws when it is called. */
export type GssFunctions = Functions<typeof gssFunctions & typeof mitGssFunctions & typeof heimdalGssFunctions>;
export type Krb5Functions = Functions<typeof krb5Functions & typeof mitKrb5Functions & typeof heimdalKrb5Functions>;

/** Memory outside the JavaScript heap, which never moves: its address and a view of it. */
export interface NativeMemory {
  readonly address: bigint;
  readonly bytes: Buffer;
}

/** A loaded GSSAPI library. */
export interface GssapiLibrary {
  /** Name or path of the library, for messages. */
  readonly name: string;
  readonly implementation: Implementation;
  readonly layout: GssapiLayout;
  readonly gss: GssFunctions;
  readonly krb5: Krb5Functions;
  /** A krb5_context for the krb5_ functions. It is used on the JavaScript thread only and never freed. */
  readonly krb5Context: bigint;
  /** Allocates zeroed memory that is never freed. @param size in bytes */
  allocate(size: number): NativeMemory;
  /** Copies native memory to native memory. @param length in bytes */
  move(to: bigint, from: bigint, length: number): void;
  /** Copies native memory to a buffer. @param length in bytes */
  copy(address: bigint, length: number): Buffer;
  /** Overwrites native memory with zeros, before the library frees it with a key in it. @param length in bytes */
  wipe(address: bigint, length: number): void;
  /** Reads the zero-terminated text at an address. Undefined if it is not UTF-8. */
  readonly text: (address: bigint) => string | undefined;
  /**
   * The address of a variable that the library exports.
   *
   * @throws Error if the library does not export it
   */
  variable(symbol: string): bigint;
  /**
   * A variable of the environment as native libraries see it: not at all in a process that was started with more rights
   * than its user has, and the one of the process in a worker thread.
   */
  readonly environment: (name: string) => string | undefined;
  /** The address of the first byte of a buffer. Keep the buffer referenced for as long as the address is used. */
  readonly addressOf: (bytes: Uint8Array) => bigint;
}

const loaded = new Map<string, GssapiLibrary>();

/** An address, or null for a null pointer. */
export type Pointer = bigint | null;

/**
 * Loads koffi and a GSSAPI library, once per process.
 *
 * @param library name or path of the library. Default: the first library of this platform's list that is installed
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` if none is installed: the message says what was tried and what
 *   to install. UnusableGssapiError, with the same code, if the first that is installed cannot be used
 */
export function loadGssapi(library?: string): GssapiLibrary {
  const key = library ?? '';
  const known = loaded.get(key);
  if (known !== undefined) return known;
  const opened = openFirst(library === undefined ? gssapiLocations(process.platform) : [gssapiLocationOf(library)]);
  loaded.set(key, opened);
  return opened;
}

/**
 * Opens the first library that is installed.
 *
 * @throws UnusableGssapiError if that one cannot be used; SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` if none is
 *   installed, or koffi is not
 */
export function openFirst(locations: readonly GssapiLocation[]): GssapiLibrary {
  koffi();
  const tried: string[] = [];
  for (const location of locations) {
    try {
      return open(location);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!isAbsent(location.gssapi, reason)) throw unusable(location.gssapi, reason, error);
      tried.push(`${location.gssapi}: ${reason}`);
    }
  }
  throw new SspiAuthError(
    'ERR_SSPI_AUTH_NATIVE_LIBRARY',
    `sspi-auth: no GSSAPI library for Kerberos could be loaded (${tried.join('; ') || `none is known for ${process.platform}`}). ` +
      'Install MIT krb5 (Debian, Ubuntu: libgssapi-krb5-2; Red Hat: krb5-libs; Alpine: krb5-libs; macOS: brew install krb5) ' +
      'or Heimdal (Debian, Ubuntu: libgssapi3-heimdal), ' +
      'or name it with the option "library".',
  );
}

/**
 * A library that is there, but cannot be used: another library must not take its place in silence. Its replay cache may
 * be another one, or none.
 */
export class UnusableGssapiError extends SspiAuthError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_SSPI_AUTH_NATIVE_LIBRARY', message, options);
  }
}

function unusable(gssapi: string, reason: string, cause: unknown): UnusableGssapiError {
  if (cause instanceof UnusableGssapiError) return cause;
  return new UnusableGssapiError(
    `sspi-auth: the GSSAPI library ${gssapi} is there, but cannot be used (${reason.replace(/^sspi-auth: /, '')}). ` +
      'Mend or remove it, or name another one with the option "library"; or use provider: \'portable\', which needs none. ' +
      'Another library is not taken by itself.',
    { cause },
  );
}

/**
 * Whether a library could not be opened because it is not installed. A library whose own libraries are missing is
 * installed.
 *
 * @param reason message of koffi with that of dlopen: of glibc, from which koffi takes the name away, or of musl
 */
export function isAbsent(gssapi: string, reason: string): boolean {
  if (gssapi.includes('/')) return !existsSync(gssapi);
  return (
    reason.includes('shared library: cannot open shared object file: No such file or directory') ||
    (reason.includes(`Error loading shared library ${gssapi}: No such file or directory`) &&
      !reason.includes('(needed by'))
  );
}

/** Why krb5_init_context failed: what the library says, and the line of krb5.conf that it cannot read. */
function contextFailure(name: string, kerberos: LibraryHandle, code: number): UnusableGssapiError {
  const message = kerberos.func('krb5_get_error_message', 'str', ['void *', 'int32_t']) as unknown as (
    context: null,
    code: number,
  ) => string | null;
  return new UnusableGssapiError(
    `sspi-auth: ${name} cannot read its configuration: ${krb5ConfigurationFault()} ` +
      `(the library says: ${message(null, code) ?? `error ${code}`}). ` +
      "Correct that file, or name another one with KRB5_CONFIG; or use provider: 'portable', which reads none. " +
      'Another library is not taken in its place.',
  );
}

function open(location: GssapiLocation): GssapiLibrary {
  const gssapi = openLibrary(location.gssapi);
  // A library handle also finds the symbols of the libraries it is linked with: its own libkrb5, even if another is
  // loaded.
  const kerberos = location.krb5 === undefined ? gssapi : openLibrary(location.krb5);
  const implementation = implementationOf((symbol) => isExported(gssapi, symbol));
  if (implementation === undefined) throw new Error('this is neither the GSSAPI of MIT krb5 nor that of Heimdal');
  const ofMit = implementation === 'MIT';
  const gss = Object.freeze({
    ...bind(gssapi, gssFunctions, 'uint32_t'),
    ...(ofMit ? bind(gssapi, mitGssFunctions, 'uint32_t') : missing(mitGssFunctions)),
    ...(ofMit ? missing(heimdalGssFunctions) : bind(gssapi, heimdalGssFunctions, 'uint32_t')),
  });
  const krb5 = Object.freeze({
    ...bind(kerberos, krb5Functions, 'int32_t'),
    ...(ofMit ? bind(kerberos, mitKrb5Functions, 'int32_t') : missing(mitKrb5Functions)),
    ...(ofMit ? missing(heimdalKrb5Functions) : bind(kerberos, heimdalKrb5Functions, 'int32_t')),
  });
  const memcpy = koffi().load(null).func('memcpy', 'void *', ['void *', 'void *', 'size_t']) as unknown as (
    to: Uint8Array | bigint,
    from: bigint,
    length: number,
  ) => unknown;
  const strlen = koffi().load(null).func('strlen', 'size_t', ['void *']) as unknown as (at: bigint) => number;
  const copy = (address: bigint, length: number): Buffer => {
    const bytes = Buffer.allocUnsafe(length);
    if (length > 0) memcpy(bytes, address, length);
    return bytes;
  };
  const memset = koffi().load(null).func('memset', 'void *', ['void *', 'int', 'size_t']) as unknown as (
    at: bigint,
    byte: number,
    length: number,
  ) => unknown;
  const allocate = (size: number): NativeMemory => {
    const address = koffi().alloc('uint8_t', size) as bigint;
    const bytes = Buffer.from(koffi().view(address, size));
    bytes.fill(0);
    return { address, bytes };
  };
  const slot = allocate(8);
  const code = krb5.initContext(slot.address);
  if (code !== 0) throw contextFailure(location.gssapi, kerberos, code);
  return Object.freeze({
    name: location.gssapi,
    implementation,
    layout: gssapiLayout(location, process.platform, process.arch),
    gss,
    krb5,
    krb5Context: slot.bytes.readBigUInt64LE(0),
    allocate,
    move(to: bigint, from: bigint, length: number): void {
      memcpy(to, from, length);
    },
    copy,
    wipe(address: bigint, length: number): void {
      if (length > 0) memset(address, 0, length);
    },
    text: (address: bigint) => {
      const bytes = copy(address, strlen(address));
      return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
    },
    variable: (symbol: string) => gssapi.symbol(symbol) as bigint,
    environment: nativeEnvironment(),
    addressOf: (bytes: Uint8Array) => koffi().address(bytes),
  });
}

/** secure_getenv of glibc and musl; macOS has getenv alone. */
function nativeEnvironment(): GssapiLibrary['environment'] {
  const own = koffi().load(null);
  const symbol = isExported(own, 'secure_getenv') ? 'secure_getenv' : 'getenv';
  const read = own.func(symbol, 'str', ['str']) as unknown as (name: string) => string | null;
  return (name) => read(name) ?? undefined;
}

function bind<T extends FunctionTable>(handle: LibraryHandle, table: T, result: string): Functions<T> {
  const functions = Object.entries(table).map(([key, [symbol, count]]) => {
    const numbers = numberArguments[symbol] ?? {};
    const types = Array.from({ length: count }, (_, index) => numbers[index] ?? 'void *');
    return [key, handle.func(symbol, results[symbol] ?? result, types)];
  });
  return Object.fromEntries(functions) as Functions<T>;
}

/** Replacements for the functions of the other implementation: they throw when they are called. */
function missing<T extends FunctionTable>(table: T): Functions<T> {
  const functions = Object.entries(table).map(([key, [symbol]]) => {
    const fail = (): never => {
      throw new Error(`${symbol} is not in this GSSAPI`);
    };
    return [key, Object.assign(fail, { async: fail })];
  });
  return Object.fromEntries(functions) as Functions<T>;
}

function isExported(handle: LibraryHandle, symbol: string): boolean {
  try {
    handle.symbol(symbol);
    return true;
  } catch {
    return false;
  }
}
