/** A Digest challenge as text, RFC 7616 section 3.3. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { hasControlCharacter } from '../../foundation/text.ts';

/** The parameters of a challenge. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  /** `algorithm` as RFC 7616 section 6.1 registers it. */
  readonly algorithm: string;
  /** The qualities of protection that are offered, such as `auth`. */
  readonly qualitiesOfProtection: readonly string[];
  /** The nonce was too old, but the response proved the password. The client retries without asking its user. */
  readonly stale?: boolean;
}

/**
 * The text that follows `Digest ` in `WWW-Authenticate`.
 *
 * Section 3.3 says which values are quoted: realm, nonce and qop are, algorithm, stale and charset are not. `stale` is
 * written only if it is true. The text must be sent as UTF-8, as its charset parameter says.
 *
 * @throws MalformedTokenError if a value has a control character, which a quoted-string cannot contain (attack A09)
 */
export function formatDigestChallenge(challenge: DigestChallenge): string {
  const { realm, nonce, algorithm, qualitiesOfProtection, stale } = challenge;
  return (
    `realm=${quotedString('realm', realm)}, nonce=${quotedString('nonce', nonce)}, ` +
    `qop=${quotedString('qop', qualitiesOfProtection.join(', '))}, algorithm=${algorithm}, charset=UTF-8` +
    (stale === true ? ', stale=true' : '')
  );
}

function quotedString(name: string, value: string): string {
  if (hasControlCharacter(value)) throw new MalformedTokenError(name, 'a control character');
  return `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}
