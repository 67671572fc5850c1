/**
 * The functions of libgssapi_krb5 and libkrb5 that a server needs, as raw calls: every pointer is an address, laid out by
 * frame.ts. Raw calls cost a fifth of those for which koffi copies structures.
 *
 * The libraries are loaded on first use, once per process.
 */
import { SspiAuthError } from '../../errors.ts';
import { koffi, openLibrary } from '../koffi.ts';
import type { LibraryHandle, NativeFunction } from '../koffi.ts';
import { gssapiLayoutOf, gssapiLayouts } from './layout.ts';
import type { GssapiLayout } from './layout.ts';

const gssNames = {
  acceptSecContext: ['gss_accept_sec_context', 11],
  acquireCredFrom: ['gss_acquire_cred_from', 9],
  releaseCred: ['gss_release_cred', 2],
  setAllowableEnctypes: ['gss_krb5_set_allowable_enctypes', 4],
  displayName: ['gss_display_name', 4],
  releaseName: ['gss_release_name', 2],
  getNameAttribute: ['gss_get_name_attribute', 8],
  releaseBuffer: ['gss_release_buffer', 2],
  deleteSecContext: ['gss_delete_sec_context', 3],
  displayStatus: ['gss_display_status', 6],
  inquireSecContextByOid: ['gss_inquire_sec_context_by_oid', 4],
  releaseBufferSet: ['gss_release_buffer_set', 2],
  storeCredInto: ['gss_store_cred_into', 9],
  getMic: ['gss_get_mic', 5],
  verifyMic: ['gss_verify_mic', 5],
  wrap: ['gss_wrap', 7],
  unwrap: ['gss_unwrap', 6],
} as const;

/** Arguments of a plain number among the addresses, by index. */
const numberArguments: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  gss_acquire_cred_from: { 2: 'uint32_t', 4: 'int' },
  gss_krb5_set_allowable_enctypes: { 2: 'uint32_t' },
  gss_display_status: { 1: 'uint32_t', 2: 'int' },
  gss_store_cred_into: { 2: 'int', 4: 'uint32_t', 5: 'uint32_t' },
  gss_get_mic: { 2: 'uint32_t' },
  gss_wrap: { 2: 'int', 3: 'uint32_t' },
  krb5_c_decrypt: { 2: 'int32_t' },
};

const krb5Names = {
  initContext: ['krb5_init_context', 1],
  ktDefaultName: ['krb5_kt_default_name', 3],
  ktResolve: ['krb5_kt_resolve', 3],
  ktClose: ['krb5_kt_close', 2],
  ktStartSeqGet: ['krb5_kt_start_seq_get', 3],
  ktNextEntry: ['krb5_kt_next_entry', 4],
  ktEndSeqGet: ['krb5_kt_end_seq_get', 3],
  ktAddEntry: ['krb5_kt_add_entry', 3],
  ktFreeEntry: ['krb5_free_keytab_entry_contents', 2],
  decrypt: ['krb5_c_decrypt', 6],
} as const;

/** The gss_ functions by their names here. */
export type GssFunctions = Readonly<Record<keyof typeof gssNames, NativeFunction>>;
/** The krb5_ functions by their names here. */
export type Krb5Functions = Readonly<Record<keyof typeof krb5Names, NativeFunction>>;

/** Memory outside JavaScript's heap that never moves: its address and a view of it. */
export interface NativeMemory {
  readonly address: bigint;
  readonly bytes: Buffer;
}

/** A GSSAPI that was loaded. */
export interface GssapiLibrary {
  readonly layout: GssapiLayout;
  readonly gss: GssFunctions;
  readonly krb5: Krb5Functions;
  /** A krb5_context for the keytab functions; used on the main thread only and never freed. */
  readonly krb5Context: bigint;
  /** Zeroed memory for the life of the process. */
  allocate(size: number): NativeMemory;
  /** Copies foreign memory to foreign memory. */
  move(to: bigint, from: bigint, length: number): void;
  /** A copy of foreign memory. */
  copy(address: bigint, length: number): Buffer;
  /** The address of a buffer's first byte; keep the buffer referenced for as long as it is used. */
  addressOf(bytes: Uint8Array): bigint;
}

const loaded = new Map<string, GssapiLibrary>();

/** An address, or null. */
export type Pointer = bigint | null;

/**
 * Loads koffi and the GSSAPI of this machine, once.
 *
 * @param library name or path of the library; undefined: the known ones of this platform in turn
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY`, naming what was tried and what to install
 */
export function loadGssapi(library?: string): GssapiLibrary {
  const key = library ?? '';
  const known = loaded.get(key);
  if (known !== undefined) return known;
  koffi();
  const layouts = library === undefined ? gssapiLayouts(process.platform) : [gssapiLayoutOf(library)];
  const tried: string[] = [];
  for (const layout of layouts) {
    try {
      const opened = open(layout);
      loaded.set(key, opened);
      return opened;
    } catch (error) {
      tried.push(`${layout.gssapi}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new SspiAuthError(
    'ERR_SSPI_AUTH_NATIVE_LIBRARY',
    `sspi-auth: no GSSAPI library for Kerberos could be loaded (${tried.join('; ') || `none is known for ${process.platform}`}). ` +
      'Install MIT krb5 (Debian, Ubuntu: libgssapi-krb5-2; Red Hat: krb5-libs; Alpine: krb5-libs; macOS: brew install krb5) ' +
      'or name it with the option "library".',
  );
}

function open(layout: GssapiLayout): GssapiLibrary {
  const gssapi = openLibrary(layout.gssapi);
  const kerberos = openLibrary(layout.krb5);
  const bind = <N extends string>(
    handle: LibraryHandle,
    names: Readonly<Record<N, readonly [string, number]>>,
    result: string,
  ): Readonly<Record<N, NativeFunction>> => {
    const functions = Object.entries<readonly [string, number]>(names).map(([key, [symbol, count]]) => {
      const numbers = numberArguments[symbol] ?? {};
      const types = Array.from({ length: count }, (_, index) => numbers[index] ?? 'void *');
      return [key, handle.func(symbol, result, types)];
    });
    return Object.freeze(Object.fromEntries(functions) as Record<N, NativeFunction>);
  };
  const gss = bind(gssapi, gssNames, 'uint32_t');
  const krb5 = bind(kerberos, krb5Names, 'int32_t');
  const memcpy = koffi().load(null).func('memcpy', 'void *', ['void *', 'void *', 'size_t']) as unknown as (
    to: Uint8Array | bigint,
    from: bigint,
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
  if (code !== 0) throw new Error(`krb5_init_context gave ${code}: is krb5.conf readable and well-formed?`);
  return Object.freeze({
    layout,
    gss,
    krb5,
    krb5Context: slot.bytes.readBigUInt64LE(0),
    allocate,
    move(to: bigint, from: bigint, length: number): void {
      memcpy(to, from, length);
    },
    copy(address: bigint, length: number): Buffer {
      const bytes = Buffer.allocUnsafe(length);
      if (length > 0) memcpy(bytes, address, length);
      return bytes;
    },
    addressOf: (bytes: Uint8Array) => koffi().address(bytes),
  });
}
