/** What acquireCredentialsHandle takes for CredSSP (pAuthData). */
import { OptionError } from '../../foundation/errors.ts';
import { defaulted, group, optional, readOptions, required } from '../../foundation/option-table.ts';
import type { AuthDataOf, SettingsOf } from '../../foundation/option-table.ts';
import { flag, shown, wholeNumber } from '../../foundation/option-values.ts';
import type { Reader } from '../../foundation/option-values.ts';
import type { SecurityPackage } from '../../sspi/security-package.ts';

/** The highest version of MS-CSSP there is. */
const NEWEST_VERSION = 6;
/** The first one that CVE-2018-0886 does not concern. */
const FIRST_SAFE_VERSION = 5;

function packageNamed(wanted: string): Reader<SecurityPackage> {
  return (value, option) => {
    const given = value as Partial<SecurityPackage> | null;
    if (typeof given !== 'object' || given === null || typeof given.acquireCredentials !== 'function') {
      throw new OptionError(option, shown(value), 'Give the package itself, not its name.');
    }
    const name: unknown = given.info?.name;
    if (typeof name !== 'string' || name.toLowerCase() !== wanted.toLowerCase()) {
      const problem = typeof name === 'string' ? `is ${JSON.stringify(name)}` : 'has no name';
      throw new OptionError(option, problem, `Give the package ${wanted}.`);
    }
    return value as SecurityPackage;
  };
}

const anything = optional((value: unknown): unknown => value);
const schannelTable = { package: required(packageNamed('Schannel'), 'Give the package Schannel.'), authData: anything };
const negotiateTable = {
  package: required(packageNamed('Negotiate'), 'Give the package Negotiate.'),
  authData: anything,
};

export const credsspOptions = {
  /** TLS: `{ package, authData }` with the package Schannel. Clients prove the public key of its certificate. */
  schannel: required(group(schannelTable), 'Give { package, authData } with the package Schannel.'),
  /** Who verifies clients: `{ package, authData }` with the package Negotiate. */
  negotiate: required(group(negotiateTable), 'Give { package, authData } with the package Negotiate.'),
  /**
   * Keep the password that a client gives away, for queryDelegatedCredentials, if ASC_REQ_DELEGATE asks for it as well.
   * Without both it is overwritten as soon as the name beside it was compared.
   */
  delegation: defaulted(flag, false),
  /** Accept clients that give no password away, as RDP has it (restricted administration). */
  restrictedAdmin: defaulted(flag, true),
  /** The lowest version of CredSSP. Below 5, an attacker between client and server can act as the client (CVE-2018-0886). */
  minVersion: defaulted(wholeNumber(2, NEWEST_VERSION), FIRST_SAFE_VERSION),
  /** The highest version of CredSSP. */
  maxVersion: defaulted(wholeNumber(2, NEWEST_VERSION), NEWEST_VERSION),
};

/** authData of acquireCredentialsHandle for the package CredSSP. */
export type CredSspAuthData = AuthDataOf<typeof credsspOptions>;

/** CredSspAuthData, checked and complete. */
export type CredSspSettings = SettingsOf<typeof credsspOptions>;

/**
 * Checks pAuthData.
 *
 * @throws OptionError that names the option, such as `authData.schannel.package`
 */
export function credsspSettings(authData: unknown): CredSspSettings {
  const settings = readOptions(credsspOptions, authData, 'authData');
  if (settings.minVersion > settings.maxVersion) {
    throw new OptionError('authData.minVersion', 'is above maxVersion', 'Give a version that is not above it.');
  }
  return settings;
}
