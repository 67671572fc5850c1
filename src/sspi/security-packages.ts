/**
 * The security packages of this process: what EnumerateSecurityPackages lists and acquireCredentialsHandle looks up.
 *
 * The contract itself brings none. src/authenticator/providers/machine-packages.ts adds those of the machine (AddSecurityPackage), so that this folder
 * depends on no package.
 */
import { SspiAuthError } from '../foundation/errors.ts';
import type { SecurityPackageInfo } from './attributes.ts';
import type { SecurityPackage } from './security-package.ts';
import { SEC_E_SECPKG_NOT_FOUND, statusName } from './status.ts';

const packages = new Map<string, SecurityPackage>();
/** Packages that are added when somebody first asks, because finding them loads a native library. */
const sources: (() => readonly SecurityPackage[])[] = [];

/** Adds a package under its name (case-insensitive), in place of one that had it. */
export function addSecurityPackage(securityPackage: SecurityPackage): void {
  packages.set(securityPackage.info.name.toLowerCase(), securityPackage);
}

/**
 * Adds the packages that a function finds, when a package is first looked up.
 *
 * @param find called once; what it throws goes to whoever looks a package up
 */
export function addSecurityPackages(find: () => readonly SecurityPackage[]): void {
  sources.push(find);
}

function known(): ReadonlyMap<string, SecurityPackage> {
  for (let find = sources[0]; find !== undefined; find = sources[0]) {
    for (const securityPackage of find()) addSecurityPackage(securityPackage);
    sources.shift();
  }
  return packages;
}

/** EnumerateSecurityPackages: what each package of this process is, in the order they were added. */
export function enumerateSecurityPackages(): readonly SecurityPackageInfo[] {
  return [...known().values()].map(({ info }) => info);
}

/**
 * The package of a name.
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` (SEC_E_SECPKG_NOT_FOUND), listing the names there are
 */
export function securityPackage(name: string): SecurityPackage {
  const found = known().get(name.toLowerCase());
  if (found === undefined) {
    const names = enumerateSecurityPackages().map((info) => info.name);
    throw new SspiAuthError(
      'ERR_SSPI_AUTH_STATUS',
      `sspi-auth: no security package ${JSON.stringify(name)} (${statusName(SEC_E_SECPKG_NOT_FOUND)}); ` +
        `this process has: ${names.join(', ') || 'none'}`,
    );
  }
  return found;
}

/**
 * QuerySecurityPackageInfo.
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` where there is no such package
 */
export function querySecurityPackageInfo(name: string): SecurityPackageInfo {
  return securityPackage(name).info;
}
