/** What the Digest package verifies with (pAuthData of acquireCredentialsHandle). */
import type { AccountSource } from '../../accounts/account-source.ts';
import type { DigestAlgorithm } from '../../crypto/digest-response.ts';
import { OptionError } from '../../foundation/errors.ts';
import { systemClock, systemRandom } from '../../foundation/clock.ts';
import type { Clock, RandomSource } from '../../foundation/clock.ts';
import { hasControlCharacter } from '../../foundation/text.ts';

/** The account source, and what goes into the challenge. */
export interface DigestAuthData {
  /** Verifies the responses; must have `verifyDigest`. */
  readonly accounts: AccountSource;
  /** What the client shows its user and hashes with the password. At most 512 bytes of UTF-8. */
  readonly realm: string;
  /** NetBIOS domain of accounts that name none. */
  readonly domain: string;
  /** One challenge for each, in this order. Default: `['SHA-256', 'MD5']`. */
  readonly algorithms?: readonly DigestAlgorithm[] | undefined;
  /** How long a nonce may be used, in milliseconds from 1 to 86 400 000. Default: 300 000, five minutes. */
  readonly nonceLifetimeMilliseconds?: number | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** Default: the machine's. */
  readonly random?: RandomSource | undefined;
  /**
   * Key of the nonces' MAC, 32 bytes or more. Default: random for each credential. With a key that outlives the process,
   * or that processes share, a nonce of another credential is stale instead of forged: its client retries at once and
   * does not ask its user. It is never accepted, since the counts used with it are not known here.
   */
  readonly secret?: Uint8Array | undefined;
}

/** DigestAuthData, checked and complete. */
export interface DigestSettings {
  readonly verify: NonNullable<AccountSource['verifyDigest']>;
  readonly realm: string;
  readonly domain: string;
  readonly algorithms: readonly DigestAlgorithm[];
  readonly nonceLifetime: number;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly secret: Uint8Array;
}

/** Longest realm, in bytes of UTF-8, so that a challenge stays below the package's maxToken. */
export const REALM_MAX_BYTES = 512;

const SECRET_MIN_BYTES = 32;
const DAY = 86_400_000;
const offered: readonly DigestAlgorithm[] = Object.freeze(['SHA-256', 'MD5']);

/** Whether a text can be a realm: not empty, not too long, without control characters and lone surrogates. */
export function isRealm(realm: unknown): realm is string {
  return (
    typeof realm === 'string' &&
    realm !== '' &&
    Buffer.byteLength(realm, 'utf8') <= REALM_MAX_BYTES &&
    !hasControlCharacter(realm) &&
    !/\p{Surrogate}/u.test(realm)
  );
}

/**
 * Checks pAuthData.
 *
 * @throws OptionError naming the part that cannot be used
 */
export function digestSettings(authData: unknown): DigestSettings {
  if (typeof authData !== 'object' || authData === null) {
    throw new OptionError('authData', 'is missing', 'Digest needs { accounts, realm, domain }.');
  }
  // From here on each part is looked at before it is believed; what was written may be JavaScript.
  const data = authData as Partial<DigestAuthData>;
  const { accounts, realm, domain, algorithms = offered, nonceLifetimeMilliseconds = 300_000, secret } = data;
  const { clock = systemClock, random = systemRandom } = data;
  const source = accounts as Partial<AccountSource> | null | undefined;
  if (typeof source?.verifyDigest !== 'function') {
    throw new OptionError(
      'authData.accounts',
      typeof source === 'object' && source !== null ? `(${source.description}) cannot verify Digest` : 'is missing',
      'Give an account source with verifyDigest.',
    );
  }
  const verify = source.verifyDigest.bind(source);
  if (!isRealm(realm)) {
    const cure = `Give a text of 1 to ${REALM_MAX_BYTES} bytes without control characters.`;
    throw new OptionError('authData.realm', `is ${describe(realm)}`, cure);
  }
  if (typeof domain !== 'string' || domain === '' || domain.includes('\\') || hasControlCharacter(domain)) {
    throw new OptionError('authData.domain', `is ${describe(domain)}`, 'Give the NetBIOS name of a domain.');
  }
  const listed: readonly unknown[] = Array.isArray(algorithms) ? algorithms : [];
  const chosen = offered.filter((algorithm) => listed.includes(algorithm));
  if (chosen.length === 0 || chosen.length !== listed.length) {
    throw new OptionError('authData.algorithms', `is ${describe(algorithms)}`, 'Choose from SHA-256 and MD5.');
  }
  if (!(
    Number.isInteger(nonceLifetimeMilliseconds) &&
    nonceLifetimeMilliseconds > 0 &&
    nonceLifetimeMilliseconds <= DAY
  )) {
    const problem = `is ${describe(nonceLifetimeMilliseconds)}`;
    throw new OptionError('authData.nonceLifetimeMilliseconds', problem, `Give an integer from 1 to ${DAY}.`);
  }
  if (secret !== undefined && !(secret instanceof Uint8Array && secret.byteLength >= SECRET_MIN_BYTES)) {
    throw new OptionError('authData.secret', 'is too short or no bytes', `Give ${SECRET_MIN_BYTES} random bytes.`);
  }
  return {
    verify,
    realm,
    domain,
    algorithms: [...algorithms],
    nonceLifetime: nonceLifetimeMilliseconds,
    clock,
    random,
    secret: secret ?? random(SECRET_MIN_BYTES),
  };
}

function describe(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? typeof value;
}
