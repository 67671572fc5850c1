/** What acquireCredentialsHandle takes for Digest (pAuthData). */
import { accountSourceFor } from '../../accounts/account-source.ts';
import type { ServerNames } from '../../accounts/account-source.ts';
import { digestAlgorithmNames, digestAlgorithms } from '../../crypto/digest-response.ts';
import { dnsName } from '../../formats/dns-name.ts';
import { netBiosName } from '../../formats/netbios-name.ts';
import { systemClock, systemRandom } from '../../foundation/clock.ts';
import { OptionError } from '../../foundation/errors.ts';
import { defaulted, optional, readOptions, required } from '../../foundation/option-table.ts';
import type { AuthDataOf, SettingsOf } from '../../foundation/option-table.ts';
import { clock, random, secretBytes, shown, someOf, wholeNumber } from '../../foundation/option-values.ts';
import type { Reader } from '../../foundation/option-values.ts';
import { Secret } from '../../foundation/secret.ts';
import { sharedStore } from '../../stores/shared-store.ts';
import type { SharedStore } from '../../stores/shared-store.ts';
import { hasControlCharacter, hasLoneSurrogate } from '../../foundation/text.ts';

/** Longest realm, in bytes of UTF-8, so that a challenge stays below the package's maxToken. */
export const REALM_MAX_BYTES = 512;
const SECRET_MIN_BYTES = 32;
const DAY_MILLISECONDS = 86_400_000;
const FIVE_MINUTES_MILLISECONDS = 300_000;

/**
 * Whether a value can be a realm: a string, not empty, not too long, without control characters and lone surrogates.
 */
export function isRealm(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    Buffer.byteLength(value, 'utf8') <= REALM_MAX_BYTES &&
    !hasControlCharacter(value) &&
    !hasLoneSurrogate(value)
  );
}

/** Reads a realm. */
export const realm: Reader<string> = (value, option) => {
  if (isRealm(value)) return value;
  const cure = `Give a text of 1 to ${REALM_MAX_BYTES} bytes of UTF-8 without control characters.`;
  throw new OptionError(option, shown(value), cure);
};

/** Options of the protocol, the same in `authData` and in the option `digest` of the authenticator. */
export const digestProtocolOptions = {
  /**
   * Key of the MAC in each nonce: 32 bytes or more, or a text of that length. If the key outlives the process, or
   * several processes share it, a nonce of another process counts as too old instead of forged: the client tries again
   * at once and does not ask its user. Such a nonce is accepted only if a `store` tells how often it was used.
   */
  secret: optional(secretBytes(SECRET_MIN_BYTES), { otherwise: 'random for each start' }),
  /** Algorithms to offer, in this order. Use `['MD5']` for clients that read only the first challenge. */
  algorithms: defaulted(
    someOf(...digestAlgorithmNames),
    Object.freeze(digestAlgorithmNames.filter((name) => digestAlgorithms[name].byDefault)),
  ),
  /** How long a nonce may be used, in milliseconds; at most 86 400 000, a day. */
  nonceLifetimeMilliseconds: defaulted(wholeNumber(1, DAY_MILLISECONDS), FIVE_MINUTES_MILLISECONDS),
};

export const digestOptions = {
  /** Who verifies the responses; must have `verifyDigest`. */
  accounts: required(accountSourceFor('verifyDigest'), 'Give an account source, such as memoryAccounts([...]).'),
  /** The client shows it to its user and hashes it with the password. At most 512 bytes of UTF-8. */
  realm: required(realm, 'Give the text that clients show to their users.'),
  /** NetBIOS domain of accounts that name none. */
  domain: required(netBiosName, 'Give the NetBIOS name of the domain.'),
  /** NetBIOS name of the server. Clients may name it as the domain of the server's own accounts. */
  computerName: optional(netBiosName, { otherwise: 'the domain' }),
  /** DNS name of the domain. Clients may name the domain by it. */
  dnsDomain: optional(dnsName),
  ...digestProtocolOptions,
  /**
   * Where the counts used with each nonce are kept, so that processes with the same `secret` accept each other's nonces.
   * Its functions must answer in time by themselves.
   */
  store: optional(sharedStore),
  /** Where the time comes from. */
  clock: defaulted(clock, systemClock, { otherwise: "the machine's" }),
  /** Where nonces come from. */
  random: defaulted(random, systemRandom, { otherwise: "the machine's" }),
};

/** authData of acquireCredentialsHandle for the package Digest. */
export type DigestAuthData = AuthDataOf<typeof digestOptions>;

/** DigestAuthData, checked and complete. */
export type DigestSettings = Omit<SettingsOf<typeof digestOptions>, 'secret'> & { readonly secret: Secret };

/**
 * Checks pAuthData.
 *
 * @throws OptionError that names the option, such as `authData.realm`, or an account that the source refuses at this
 *   server
 */
export function digestSettings(authData: unknown): DigestSettings {
  const settings = readOptions(digestOptions, authData, 'authData');
  settings.accounts.checkServerNames?.(serverNames(settings));
  if (isShared(settings.store) && settings.secret === undefined) {
    throw new OptionError(
      'authData.secret',
      'is missing, but "authData.store" is there for processes that accept each other\'s nonces',
      'Give all of them the same 32 random bytes.',
    );
  }
  return Object.freeze({ ...settings, secret: settings.secret ?? new Secret(settings.random(SECRET_MIN_BYTES)) });
}

/**
 * Whether a store knows what other processes have accepted. One that goes with its process and has no name is that of
 * nobody else.
 */
export function isShared(store: SharedStore | undefined): store is SharedStore {
  return store !== undefined && (store.age === undefined || store.scope !== undefined);
}

/** The names of the server, for the account source. */
export function serverNames({
  domain,
  computerName = domain,
  dnsDomain,
}: Pick<DigestSettings, 'domain' | 'computerName' | 'dnsDomain'>): ServerNames {
  return { serverDomain: domain, serverName: computerName, serverDnsDomain: dnsDomain };
}
