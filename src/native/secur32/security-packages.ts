/**
 * The security packages of a library that implements SSPI, for the contract of src/sspi. The library is secur32.dll on
 * Windows and WinPR's libwinpr2 on other systems.
 */
import { setTimeout } from 'node:timers/promises';
import { SspiAuthError } from '../../foundation/errors.ts';
import type { SecurityPackageInfo } from '../../sspi/attributes.ts';
import type { SecurityPackage } from '../../sspi/security-package.ts';
import { SEC_E_OK, statusName } from '../../sspi/status.ts';
import { koffi } from '../koffi.ts';
import { callInLane, callSynchronously } from '../native-calls.ts';
import { readPackageInfo } from './attribute-memory.ts';
import { acquireCredentials } from './credentials.ts';
import { layouts, pointerBytes } from './declarations.ts';
import { openSecurityLibrary, systemLibrary } from './library.ts';
import type { Secur32Library } from './library.ts';
import { readPointer, withContextBuffer } from './native-handles.ts';
import type { Provider } from './provider.ts';
import { acquireStreamCredentials, streamPackages } from './stream-credentials.ts';
import { systemSidLookup } from './lsa-lookup.ts';
import { SidNames } from './sid-names.ts';

/** This provider knows which buffers they need. */
const acceptedPackages: readonly string[] = ['Negotiate', 'Kerberos', 'NTLM', ...streamPackages];

const packagesOf = new Map<string, readonly SecurityPackage[]>();

/** Options of the packages of a library. */
export interface Secur32Options {
  /**
   * Call AcceptSecurityContext on the event loop. Use this only if the call never asks another machine and never takes
   * long: a domain controller that does not answer would stop the whole server. Default false.
   */
  readonly synchronous?: boolean;
}

/** The timer keeps no process alive. */
const delay = (milliseconds: number): Promise<void> => setTimeout(milliseconds, undefined, { ref: false });

/**
 * The packages of a library that can accept clients: those of Negotiate, Kerberos, NTLM, Schannel and CREDSSP that the
 * library has, in this order. The last two need certificates, which only Windows has.
 *
 * @param path name or path of the library. Default: `secur32.dll` on Windows
 * @returns the same array for each call with the same arguments
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` if koffi or the library cannot be loaded, if the library does
 *   not implement SSPI, or if no path is given and the system has no SSPI
 */
export function secur32Packages(
  path: string | undefined = systemLibrary,
  { synchronous = false }: Secur32Options = {},
): readonly SecurityPackage[] {
  if (path === undefined) {
    throw new SspiAuthError(
      'ERR_SSPI_AUTH_NATIVE_LIBRARY',
      'sspi-auth: only Windows has SSPI. On other systems, name a library that implements it, such as ' +
        "{ library: 'libwinpr2.so.2' }",
    );
  }
  const key = `${synchronous} ${path}`;
  const known = packagesOf.get(key);
  if (known !== undefined) return known;
  const library = openSecurityLibrary(path);
  const call = synchronous ? callSynchronously : callInLane;
  const names = library.token && { sids: new SidNames(systemSidLookup(library.token)), delay };
  const found = enumerateLibraryPackages(library);
  const packages = acceptedPackages.flatMap((name) => {
    if (library.certificates === undefined && streamPackages.includes(name)) return [];
    const info = found.find((candidate) => candidate.name === name);
    return info === undefined ? [] : [packageOf({ library, call, names, info, credentials: new Map() })];
  });
  packagesOf.set(key, Object.freeze(packages));
  return packages;
}

/**
 * Calls EnumerateSecurityPackagesW. The result has all packages of the library, also those that secur32Packages leaves
 * out.
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` if the call fails
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
 * Calls QuerySecurityPackageInfoW.
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` if the library has no package of this name
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
    acquireCredentials: (parameters) =>
      streamPackages.includes(provider.info.name)
        ? acquireStreamCredentials(provider, parameters)
        : acquireCredentials(provider, parameters),
  } satisfies SecurityPackage);
}
