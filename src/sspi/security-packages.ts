/**
 * The security packages of this process: what EnumerateSecurityPackages lists and acquireCredentialsHandle looks up.
 *
 * The contract itself has none: src/authenticator/providers/machine-packages.ts adds those of the machine
 * (AddSecurityPackage). So this folder depends on no package.
 */
import { SspiAuthError } from '../foundation/errors.ts';
import type { SecurityPackageInfo } from './attributes.ts';
import type { SecurityPackage } from './security-package.ts';
import { SEC_E_SECPKG_NOT_FOUND, statusName } from './status.ts';

const packages = new Map<string, SecurityPackage>();
/** Functions that find packages. They run at the first look-up and not before, because they load a native library. */
const sources: (() => readonly SecurityPackage[])[] = [];

/** Adds a package under its name (case-insensitive). It replaces a package of the same name. */
export function addSecurityPackage(securityPackage: SecurityPackage): void {
  packages.set(securityPackage.info.name.toLowerCase(), securityPackage);
}

/**
 * Adds the packages that a function finds, when a package is first looked up.
 *
 * @param find called until it succeeds once. If it throws, the look-up throws the same error. It may look packages up
 *   itself: it sees those that were there before it
 */
export function addSecurityPackages(find: () => readonly SecurityPackage[]): void {
  sources.push(find);
}

/** A source is being asked: a look-up that it makes must not ask it again. */
let asking = false;

function allPackages(): ReadonlyMap<string, SecurityPackage> {
  if (asking) return packages;
  asking = true;
  try {
    for (let find = sources[0]; find !== undefined; find = sources[0]) {
      for (const securityPackage of find()) addSecurityPackage(securityPackage);
      sources.shift();
    }
  } finally {
    asking = false;
  }
  return packages;
}

/** EnumerateSecurityPackages: what each package of this process is, in the order they were added. */
export function enumerateSecurityPackages(): readonly SecurityPackageInfo[] {
  return [...allPackages().values()].map(({ info }) => info);
}

/**
 * Looks up a package by its name (case-insensitive).
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` (SEC_E_SECPKG_NOT_FOUND) if there is none; the message lists all names
 */
export function securityPackage(name: string): SecurityPackage {
  const found = allPackages().get(name.toLowerCase());
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
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` if there is no such package
 */
export function querySecurityPackageInfo(name: string): SecurityPackageInfo {
  return securityPackage(name).info;
}
