/** What acquireCredentialsHandle takes for Negotiate: which packages may run inside it, and with what. */
import { OptionError } from '../../foundation/errors.ts';
import { group, optional, readOptions, required } from '../../foundation/option-table.ts';
import type { AuthDataOf } from '../../foundation/option-table.ts';
import { shown } from '../../foundation/option-values.ts';
import type { Reader } from '../../foundation/option-values.ts';
import type { AcquireCredentialsParameters, PackageCredential, SecurityPackage } from '../../sspi/index.ts';
import { isMechanism } from './mechanisms.ts';
import type { Mechanism } from './mechanisms.ts';

const innerPackage: Reader<SecurityPackage> = (value, option) => {
  const given = value as Partial<SecurityPackage> | null;
  if (typeof given !== 'object' || given === null || typeof given.acquireCredentials !== 'function') {
    throw new OptionError(option, shown(value), 'Give the package itself, not its name.');
  }
  const name: unknown = given.info?.name;
  if (typeof name !== 'string' || !isMechanism(name)) {
    const problem = typeof name === 'string' ? `is ${JSON.stringify(name)}` : 'has no name';
    throw new OptionError(option, problem, 'Only Kerberos and NTLM run inside Negotiate.');
  }
  return value as SecurityPackage;
};

const innerTable = {
  /** The package Kerberos or NTLM, of this library or of the operating system. */
  package: required(innerPackage, 'Give the package itself: Kerberos or NTLM.'),
  /** Its own authData, such as a keytab or an account source. The package reads it. */
  authData: optional((value: unknown): unknown => value),
};
const readInner = group(innerTable);

/** A package that Negotiate may run. */
export type NegotiateInnerPackage = AuthDataOf<typeof innerTable>;

const innerPackages: Reader<readonly NegotiateInnerPackage[]> = (value, option) => {
  if (!Array.isArray(value) || value.length === 0) {
    const cure = 'Give a list of { package, authData } with the packages Kerberos, NTLM or both.';
    throw new OptionError(option, 'has no package that could verify a client', cure);
  }
  const read = value.map((given: unknown, index) => readInner(given, `${option}[${index}]`));
  const names = read.map((inner) => inner.package.info.name);
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice !== -1) {
    throw new OptionError(`${option}[${twice}]`, `is ${names[twice] ?? ''} again`, 'Give each package once.');
  }
  return Object.freeze(read);
};

const negotiateOptions = {
  /**
   * The packages that may run. This list is the policy: with Kerberos alone, NTLM is refused in every form (attack
   * G11). The first mechanism on the client's list whose package is in this list runs. A client puts first what it can
   * do now, and further down what it cannot (Windows without a ticket sends NTLM, then Kerberos).
   */
  packages: required(innerPackages, 'Give a list of { package, authData } with the packages Kerberos, NTLM or both.'),
};

/** authData of acquireCredentialsHandle for the package Negotiate. */
export type NegotiateAuthData = AuthDataOf<typeof negotiateOptions>;

/** An inner package with the credential that Negotiate acquired from it. */
export interface InnerCredential {
  readonly mechanism: Mechanism;
  readonly package: SecurityPackage;
  readonly credential: PackageCredential;
}

/**
 * Checks pAuthData.
 *
 * @throws OptionError if the value is not NegotiateAuthData, has no package, has one twice, or has one that cannot run
 *   inside Negotiate (Negotiate itself: no SPNEGO inside SPNEGO, attack B09)
 */
export function parseAuthData(authData: unknown): readonly NegotiateInnerPackage[] {
  return readOptions(negotiateOptions, authData, 'authData').packages;
}

/** Acquires the credential of an inner package. An OptionError has the path of the option in Negotiate's authData. */
function acquireInner(
  { package: inner, authData }: NegotiateInnerPackage,
  index: number,
  { credentialUse, principal }: AcquireCredentialsParameters,
): PackageCredential | Promise<PackageCredential> {
  const withOuterPath = (error: unknown): unknown =>
    error instanceof OptionError && /^authData\b/.test(error.option)
      ? error.called((path) => `authData.packages[${index}].${path}`)
      : error;
  try {
    const acquired = inner.acquireCredentials({ credentialUse, principal, authData });
    return acquired instanceof Promise
      ? acquired.catch((error: unknown) => {
          throw withOuterPath(error);
        })
      : acquired;
  } catch (error) {
    throw withOuterPath(error);
  }
}

/**
 * Acquires the credential of every inner package. If one of them fails, the credentials of the others are freed.
 *
 * @returns the credentials in the order of the packages; a promise if a package gave a promise
 * @throws the error of the first package that fails
 */
export function acquireInnerCredentials(
  packages: readonly NegotiateInnerPackage[],
  parameters: AcquireCredentialsParameters,
): readonly InnerCredential[] | Promise<readonly InnerCredential[]> {
  const pending: (PackageCredential | Promise<PackageCredential>)[] = [];
  try {
    for (const [index, inner] of packages.entries()) pending.push(acquireInner(inner, index, parameters));
  } catch (error) {
    for (const acquired of pending) {
      if (acquired instanceof Promise) {
        // An error here is ignored: the caller gets the first one.
        acquired.then(
          (late) => late.free(),
          () => undefined,
        );
      } else {
        acquired.free();
      }
    }
    throw error;
  }
  const bind = (credentials: readonly PackageCredential[]): readonly InnerCredential[] =>
    packages.flatMap(({ package: inner }, index) => {
      const { name } = inner.info;
      const credential = credentials[index];
      return credential !== undefined && isMechanism(name) ? [{ mechanism: name, package: inner, credential }] : [];
    });
  if (pending.some((acquired) => acquired instanceof Promise)) return settleAll(pending).then(bind);
  return bind(pending as readonly PackageCredential[]);
}

async function settleAll(
  pending: readonly (PackageCredential | Promise<PackageCredential>)[],
): Promise<readonly PackageCredential[]> {
  const results = await Promise.allSettled(pending.map((acquired) => Promise.resolve(acquired)));
  const acquired = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return acquired;
  for (const credential of acquired) credential.free();
  throw failed.reason;
}
