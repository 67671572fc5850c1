/** Whether a scheme can be verified on this machine, and by which package with which authData. */
import { OptionError } from '../../foundation/errors.ts';
import type { OptionTable } from '../../foundation/option-table.ts';
import { acquireCredentialsHandle } from '../../sspi/index.ts';
import type { CredentialHandle, SecurityPackage } from '../../sspi/index.ts';
import type { OfferedScheme } from '../offered-scheme.ts';
import type { ProviderName, SchemeName, SchemeSettings } from '../options.ts';

/** Why something cannot be verified here, and what would help. */
export interface Missing {
  readonly missing: string;
}

/** How a scheme can be verified here: a way to get its credential, and what else is known of it. */
export interface Available extends Omit<OfferedScheme, 'name' | 'credential' | 'requiredAttributes'> {
  /** @throws OptionError, SspiAuthError where there is no credential */
  readonly acquire: () => CredentialHandle;
}

export type Availability = Available | Missing;

/** A scheme that will be offered. */
export interface Offer {
  readonly name: SchemeName;
  readonly how: Available;
}

export function isMissing(value: object): value is Missing {
  return 'missing' in value;
}

/** Windows' own packages are those of the machine. */
export function isWindows(provider: ProviderName): boolean {
  return provider === 'auto' && process.platform === 'win32';
}

/** Who gives accounts means those: Windows would let in its own. */
export function usesSecur32({ provider, accounts }: Pick<SchemeSettings, 'provider' | 'accounts'>): boolean {
  return provider === 'secur32' || (isWindows(provider) && accounts === undefined);
}

/**
 * The settings that a package's authData has by the same name.
 *
 * @param table of the package
 */
export function authDataFrom(table: OptionTable, settings: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(table).flatMap((name) => {
      const value: unknown = (settings as Readonly<Record<string, unknown>>)[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** What the path of a package's option begins with, perhaps inside Negotiate. */
const authDataPath = /^authData\.(?:packages\[\d+\]\.authData\.)?/;

/**
 * A credential of a package.
 *
 * @param names what the operator calls an option of the package, where that is another name
 * @throws OptionError by the operator's name for the option, SspiAuthError
 */
export function acquire(
  securityPackage: SecurityPackage,
  authData: unknown,
  names: Readonly<Record<string, string>> = {},
): CredentialHandle {
  let credential: CredentialHandle | Promise<CredentialHandle>;
  try {
    credential = acquireCredentialsHandle({ package: securityPackage, credentialUse: 'inbound', authData });
  } catch (error) {
    if (!(error instanceof OptionError) || !authDataPath.test(error.option)) throw error;
    throw error.called((path) => {
      const name = path.replace(authDataPath, '');
      return names[name] ?? name;
    });
  }
  if (credential instanceof Promise) {
    throw new TypeError(`sspi-auth: package ${securityPackage.info.name} must give its credential synchronously`);
  }
  return credential;
}
