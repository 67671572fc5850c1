/** What acquireCredentialsHandle takes for Negotiate: which packages may run inside it, and with what. */
import { OptionError } from '../../foundation/errors.ts';
import type { AcquireCredentialsParameters, PackageCredential, SecurityPackage } from '../../sspi/index.ts';
import { isMechanism } from './mechanisms.ts';
import type { Mechanism } from './mechanisms.ts';

/** A package that Negotiate may run. */
export interface NegotiateInnerPackage {
  /** Kerberos or NTLM, of whatever origin. */
  readonly package: SecurityPackage;
  /** Its own authData: a keytab, an account source. */
  readonly authData?: unknown;
}

/**
 * authData of Negotiate. Which packages are handed in is the policy: Kerberos alone refuses NTLM in every form (attack
 * G11). Of those, the first one on the client's own list runs: a client puts first what it can do, and names what it
 * cannot do now further down (Windows without a ticket sends NTLM, then Kerberos).
 */
export interface NegotiateAuthData {
  readonly packages: readonly NegotiateInnerPackage[];
}

/** An inner package with the credential that Negotiate acquired from it. */
export interface InnerCredential {
  readonly mechanism: Mechanism;
  readonly package: SecurityPackage;
  readonly credential: PackageCredential;
}

/**
 * @throws OptionError where the value is not NegotiateAuthData, names no package, one twice, or one that cannot run
 *   inside Negotiate (Negotiate itself: no SPNEGO inside SPNEGO, attack B09)
 */
export function parseAuthData(authData: unknown): readonly NegotiateInnerPackage[] {
  const packages = (authData as Partial<NegotiateAuthData> | null | undefined)?.packages;
  if (!Array.isArray(packages) || packages.length === 0) {
    throw new OptionError(
      'authData.packages',
      'names no package that could verify a client',
      'Give a list of { package, authData } with the packages Kerberos, NTLM or both.',
    );
  }
  const seen = new Set<Mechanism>();
  for (const [index, inner] of (packages as readonly (Partial<NegotiateInnerPackage> | null)[]).entries()) {
    const option = `authData.packages[${index}]`;
    const name = inner?.package?.info?.name;
    if (name === undefined || typeof inner?.package?.acquireCredentials !== 'function') {
      throw new OptionError(option, 'is not { package, authData }', 'Give the package itself, not its name.');
    }
    if (!isMechanism(name)) {
      throw new OptionError(option, `is ${JSON.stringify(name)}`, 'Only Kerberos and NTLM run inside Negotiate.');
    }
    if (seen.has(name)) throw new OptionError(option, `is ${name} once more`, 'Name each package once.');
    seen.add(name);
  }
  return packages as readonly NegotiateInnerPackage[];
}

/**
 * Acquires the credential of every inner package, or none: when one cannot be had, those that were are freed.
 *
 * @returns in the order given; a promise where a package gave one
 * @throws what the first failing package throws
 */
export function acquireInnerCredentials(
  packages: readonly NegotiateInnerPackage[],
  parameters: AcquireCredentialsParameters,
): readonly InnerCredential[] | Promise<readonly InnerCredential[]> {
  const { credentialUse, principal } = parameters;
  const pending: (PackageCredential | Promise<PackageCredential>)[] = [];
  try {
    for (const inner of packages) {
      pending.push(inner.package.acquireCredentials({ credentialUse, principal, authData: inner.authData }));
    }
  } catch (error) {
    for (const acquired of pending) {
      if (acquired instanceof Promise) {
        // The failure that counts is already on its way to the caller.
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
