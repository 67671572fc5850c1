/** Whether a scheme can be verified on this machine, and by which package with which authData. */
import { OptionError } from '../../foundation/errors.ts';
import type { OptionTable } from '../../foundation/option-table.ts';
import type { StartFacts } from '../../kerberos/start-facts.ts';
import { acquireCredentialsHandle } from '../../sspi/index.ts';
import type { CredentialHandle, SecurityPackage } from '../../sspi/index.ts';
import type { OfferedScheme } from '../offered-scheme.ts';
import type { ProviderName, SchemeName, SchemeSettings } from '../options.ts';

/** Why something cannot be verified here, and what would help. */
export interface Missing {
  readonly missing: string;
}

/** A scheme that can be verified here: how to acquire its credential, and its properties. */
export interface Available extends Omit<OfferedScheme, 'name' | 'credential' | 'requiredAttributes' | 'serviceHosts'> {
  /** What Kerberos has found, once the credential is acquired. Undefined: Windows verifies it, or nothing does. */
  readonly kerberos?: (() => StartFacts | undefined) | undefined;
  /** @throws OptionError, SspiAuthError if no credential can be acquired */
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

/** Whether provider `auto` means Windows' own packages. */
export function isWindows(provider: ProviderName): boolean {
  return provider === 'auto' && process.platform === 'win32';
}

/**
 * Whether secur32 verifies. Provider `auto` does not use it if `accounts` is given: the operator wants these accounts,
 * and Windows would admit its own.
 */
export function usesSecur32({ provider, accounts }: Pick<SchemeSettings, 'provider' | 'accounts'>): boolean {
  return provider === 'secur32' || (isWindows(provider) && accounts === undefined);
}

/**
 * The settings that a package's authData has under the same names.
 *
 * @param table the package's option table
 */
export function authDataFrom(table: OptionTable, settings: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(table).flatMap((name) => {
      const value: unknown = (settings as Readonly<Record<string, unknown>>)[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** How the path of a package's option begins, both outside and inside Negotiate. */
const authDataPath = /^authData\.(?:packages\[\d+\]\.authData\.)?/;

/**
 * Acquires a credential of a package.
 *
 * @param names the operator's names for options of the package, where they differ
 * @throws OptionError with the operator's name for the option; SspiAuthError if the credential cannot be acquired
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
