/** Opens a library that implements SSPI: secur32.dll of Windows or Wine, or WinPR's libwinpr2 on other systems. */
import { SspiAuthError } from '../../foundation/errors.ts';
import { openLibrary } from '../koffi.ts';
import type { LibraryHandle } from '../koffi.ts';
import type { NativeArgument, NativeFunction } from '../native-calls.ts';
import {
  accountFunctions,
  certificateFunctions,
  handleFunctions,
  keyFunctions,
  keySetFunctions,
  nameFunctions,
  securityFunctions,
  storeFunctions,
  tokenFunctions,
} from './declarations.ts';

type Functions<Table> = { readonly [Name in keyof Table]: NativeFunction };

/** The functions of Windows that read access tokens, names of SIDs, and the account of this process. */
export type WindowsFunctions = Functions<
  typeof tokenFunctions & typeof nameFunctions & typeof handleFunctions & typeof accountFunctions
>;

/** A native function that returns a pointer; 0 for null. */
type PointerFunction = (...values: NativeArgument[]) => number | bigint;

/** The functions of Windows for certificates and their keys. */
export type CertificateFunctions = Functions<
  typeof certificateFunctions & typeof keySetFunctions & typeof keyFunctions
> & { readonly [Name in keyof typeof storeFunctions]: PointerFunction };

/** The functions of an SSPI library, and on Windows those that read access tokens. */
export interface Secur32Library {
  /** Name or path with which the library was opened. */
  readonly path: string;
  readonly security: Functions<typeof securityFunctions>;
  /**
   * Whether several contexts may use one credential. They may on Windows. WinPR writes the name of the client into the
   * credential: two clients at the same time would get each other's name.
   */
  readonly sharesCredentials: boolean;
  /** Functions of Windows itself. Undefined outside of Windows, where a context has no access token. */
  readonly token: WindowsFunctions | undefined;
  /** Opens the functions of Windows for certificates. Undefined outside of Windows: Schannel has no certificate there. */
  readonly certificates: (() => CertificateFunctions) | undefined;
}

const opened = new Map<string, Secur32Library>();

/** The library to open if the caller names none. Undefined if the system has no SSPI. */
export const systemLibrary: string | undefined = process.platform === 'win32' ? 'secur32.dll' : undefined;

/**
 * Opens an SSPI library, once per process.
 *
 * @param path name or path of the library
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` if koffi or the library cannot be loaded, or if the library
 *   lacks a function of SSPI
 */
export function openSecurityLibrary(path: string): Secur32Library {
  const known = opened.get(path);
  if (known !== undefined) return known;
  const library: Secur32Library = {
    path,
    sharesCredentials: process.platform === 'win32',
    security: functionsOf(openLibrary(path), path, securityFunctions),
    token: process.platform === 'win32' ? windowsFunctions() : undefined,
    certificates: process.platform === 'win32' ? windowsCertificates : undefined,
  };
  opened.set(path, library);
  return library;
}

function windowsFunctions(): WindowsFunctions {
  const advapi32 = openLibrary('advapi32.dll');
  return {
    ...functionsOf(advapi32, 'advapi32.dll', tokenFunctions),
    ...lookupFunctions(advapi32),
    ...functionsOf(openLibrary('kernel32.dll'), 'kernel32.dll', handleFunctions),
    ...functionsOf(openLibrary('secur32.dll'), 'secur32.dll', accountFunctions),
  };
}

let certificates: CertificateFunctions | undefined;

/** Opened when the first certificate is: most servers have none. */
function windowsCertificates(): CertificateFunctions {
  return (certificates ??= certificateFunctionsOf('crypt32.dll', 'advapi32.dll', 'ncrypt.dll'));
}

/**
 * The functions for certificates.
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` if a library lacks one
 */
export function certificateFunctionsOf(crypt32: string, advapi32: string, ncrypt: string): CertificateFunctions {
  const library = openLibrary(crypt32);
  const pointers = Object.entries(storeFunctions).map(([name, parameters]) => [
    name,
    library.func('__stdcall', name, 'uintptr_t', [...parameters]),
  ]);
  return {
    ...functionsOf(library, crypt32, certificateFunctions),
    ...functionsOf(openLibrary(advapi32), advapi32, keySetFunctions),
    ...functionsOf(openLibrary(ncrypt), ncrypt, keyFunctions),
    ...(Object.fromEntries(pointers) as Pick<CertificateFunctions, keyof typeof storeFunctions>),
  };
}

/** Wine 8 lacks LsaLookupSids2. LsaLookupSids is the same without the options, of which none are used here. */
function lookupFunctions(advapi32: LibraryHandle): Functions<typeof nameFunctions> {
  const { LsaLookupSids2, ...others } = nameFunctions;
  const rest = functionsOf(advapi32, 'advapi32.dll', others);
  try {
    return { ...rest, ...functionsOf(advapi32, 'advapi32.dll', { LsaLookupSids2 }) };
  } catch {
    const [policy, , ...parameters] = LsaLookupSids2;
    const table = { LsaLookupSids: [policy, ...parameters] };
    const { LsaLookupSids } = functionsOf(advapi32, 'advapi32.dll', table);
    return { ...rest, LsaLookupSids2: withoutSecondArgument(LsaLookupSids) };
  }
}

/** A function that is called without the second of its arguments. */
function withoutSecondArgument(native: NativeFunction): NativeFunction {
  const shorter = <T>([first, , ...others]: readonly T[]): T[] => (first === undefined ? [] : [first, ...others]);
  return Object.assign((...values: NativeArgument[]) => native(...shorter(values)), {
    async: (...values: Parameters<NativeFunction['async']>) => {
      native.async(...(shorter<unknown>(values) as Parameters<NativeFunction['async']>));
    },
  });
}

function functionsOf<Table extends Readonly<Record<string, readonly string[]>>>(
  handle: LibraryHandle,
  path: string,
  table: Table,
): Functions<Table> {
  const functions: Record<string, NativeFunction> = {};
  for (const [name, parameters] of Object.entries(table)) {
    try {
      functions[name] = handle.func('__stdcall', name, 'int32', [...parameters]);
    } catch (cause) {
      throw new SspiAuthError(
        'ERR_SSPI_AUTH_NATIVE_LIBRARY',
        `sspi-auth: ${JSON.stringify(path)} has no function ${name}: it is not an SSPI library`,
        { cause },
      );
    }
  }
  return functions as Functions<Table>;
}
