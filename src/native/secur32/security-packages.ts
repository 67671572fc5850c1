/**
 * The security packages of a library with the interface of SSPI, behind the contract of src/sspi: of secur32.dll on
 * Windows, of WinPR's libwinpr2 elsewhere.
 */
import { SspiAuthError } from '../../foundation/errors.ts';
import type { SecurityPackageInfo } from '../../sspi/attributes.ts';
import type { SecurityPackage } from '../../sspi/security-package.ts';
import { SEC_E_OK, statusName } from '../../sspi/status.ts';
import { callAtOnce, callOffLoop, koffi } from '../koffi.ts';
import { readPackageInfo } from './context-attributes.ts';
import { acquireCredentials } from './credentials.ts';
import { layouts, pointerBytes } from './declarations.ts';
import { openSecurityLibrary, systemLibrary } from './library.ts';
import type { Secur32Library } from './library.ts';
import { readPointer, withContextBuffer } from './native-handles.ts';
import type { Provider } from './provider.ts';
import { SidNames, systemSidLookup } from './sid-names.ts';

/** Packages whose tokens are those of HTTP authentication and whose buffers this provider knows. */
const acceptedPackages: readonly string[] = ['Negotiate', 'Kerberos', 'NTLM'];

const packagesOf = new Map<string, readonly SecurityPackage[]>();

/** How the packages of a library are used. */
export interface Secur32Options {
  /**
   * AcceptSecurityContext is called at once, on the event loop. Only where it never asks anybody and never takes long: a
   * domain controller that does not answer would stop the whole server. Default false.
   */
  readonly synchronous?: boolean;
}

/**
 * The packages of a library that can accept clients over HTTP: Negotiate, Kerberos and NTLM, as far as it has them, in
 * this order.
 *
 * @param path name or path of the library; without it `secur32.dll`
 * @returns the same packages each time for one library
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` where koffi or the library cannot be loaded, where it is not a
 *   library of SSPI, or where there is no path and the system has no SSPI of its own
 */
export function secur32Packages(
  path: string | undefined = systemLibrary,
  { synchronous = false }: Secur32Options = {},
): readonly SecurityPackage[] {
  if (path === undefined) {
    throw new SspiAuthError(
      'ERR_SSPI_AUTH_NATIVE_LIBRARY',
      'sspi-auth: only Windows has an SSPI of its own. Elsewhere name a library that has its interface, such as ' +
        "{ library: 'libwinpr2.so.2' }",
    );
  }
  const key = `${synchronous} ${path}`;
  const known = packagesOf.get(key);
  if (known !== undefined) return known;
  const library = openSecurityLibrary(path);
  const call = synchronous ? callAtOnce : callOffLoop;
  const names = library.token && new SidNames(systemSidLookup(library.token));
  const found = enumerateLibraryPackages(library);
  const packages = acceptedPackages.flatMap((name) => {
    const info = found.find((candidate) => candidate.name === name);
    return info === undefined ? [] : [packageOf({ library, call, names, info, credentials: new Map() })];
  });
  packagesOf.set(key, Object.freeze(packages));
  return packages;
}

/**
 * EnumerateSecurityPackagesW: every package of the library, those included that this provider does not accept with.
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` where the library does not say
 */
export function enumerateLibraryPackages(library: Secur32Library): readonly SecurityPackageInfo[] {
  const memory = Buffer.alloc(8 + pointerBytes);
  const address = koffi().address(memory);
  const status = library.security.EnumerateSecurityPackagesW(address, address + 8n);
  if (status >>> 0 !== SEC_E_OK) {
    throw new SspiAuthError(
      'ERR_SSPI_AUTH_NATIVE_LIBRARY',
      `sspi-auth: ${JSON.stringify(library.path)} does not list its packages: ${statusName(status)}`,
    );
  }
  const count = memory.readUInt32LE(0);
  return withContextBuffer(library, readPointer(memory, 8), (array) =>
    Array.from({ length: count }, (_, index) => readPackageInfo(array + BigInt(index * layouts.SecPkgInfoW.size))),
  );
}

/**
 * QuerySecurityPackageInfoW of a library.
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` where it has no such package
 */
export function queryLibraryPackageInfo(library: Secur32Library, name: string): SecurityPackageInfo {
  const memory = Buffer.alloc(pointerBytes);
  const status = library.security.QuerySecurityPackageInfoW(name, koffi().address(memory));
  if (status >>> 0 !== SEC_E_OK) {
    throw new SspiAuthError(
      'ERR_SSPI_AUTH_STATUS',
      `sspi-auth: ${JSON.stringify(library.path)} has no package ${JSON.stringify(name)}: ${statusName(status)}`,
    );
  }
  return withContextBuffer(library, readPointer(memory, 0), readPackageInfo);
}

function packageOf(provider: Provider): SecurityPackage {
  return Object.freeze({
    info: provider.info,
    acquireCredentials: (parameters) => acquireCredentials(provider, parameters),
  } satisfies SecurityPackage);
}
