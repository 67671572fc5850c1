/** A library with the interface of SSPI, opened: secur32.dll, Wine's, or WinPR's libwinpr2 on other systems. */
import { SspiAuthError } from '../../foundation/errors.ts';
import { openLibrary } from '../koffi.ts';
import type { LibraryHandle, NativeFunction } from '../koffi.ts';
import { handleFunctions, securityFunctions, tokenFunctions } from './declarations.ts';

type Functions<Table> = { readonly [Name in keyof Table]: NativeFunction };

/** The functions of an SSPI library, and those that read access tokens where the system has any. */
export interface Secur32Library {
  /** As it was opened. */
  readonly path: string;
  readonly security: Functions<typeof securityFunctions>;
  /**
   * Whether contexts may share a credential, as on Windows. WinPR writes the client's name into the credential of the
   * context: two clients at once would be taken for each other.
   */
  readonly sharesCredentials: boolean;
  /** Only on Windows: elsewhere a context has no access token. */
  readonly token: Functions<typeof tokenFunctions & typeof handleFunctions> | undefined;
}

const opened = new Map<string, Secur32Library>();

/** The name of the library where none is given; undefined where the system has none of its own. */
export const systemLibrary: string | undefined = process.platform === 'win32' ? 'secur32.dll' : undefined;

/**
 * Opens a library once for the process.
 *
 * @param path name or path
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` where koffi or the library cannot be loaded, or the library lacks
 *   a function of SSPI
 */
export function openSecurityLibrary(path: string): Secur32Library {
  const known = opened.get(path);
  if (known !== undefined) return known;
  const library: Secur32Library = {
    path,
    sharesCredentials: process.platform === 'win32',
    security: functionsOf(openLibrary(path), path, securityFunctions),
    token:
      process.platform === 'win32'
        ? {
            ...functionsOf(openLibrary('advapi32.dll'), 'advapi32.dll', tokenFunctions),
            ...functionsOf(openLibrary('kernel32.dll'), 'kernel32.dll', handleFunctions),
          }
        : undefined,
  };
  opened.set(path, library);
  return library;
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
        `sspi-auth: ${JSON.stringify(path)} has no function ${name}: it is not a library of SSPI`,
        { cause },
      );
    }
  }
  return functions as Functions<Table>;
}
