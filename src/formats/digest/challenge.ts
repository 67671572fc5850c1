/** A Digest challenge as text, RFC 7616 section 3.3. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { hasControlCharacter } from '../../foundation/text.ts';

/** What a server asks for. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  /** `algorithm` as RFC 7616 section 6.1 registers it. */
  readonly algorithm: string;
  /** The qualities of protection that are offered, such as `auth`. */
  readonly qualitiesOfProtection: readonly string[];
  /** The nonce was too old but the response proved the password: the client retries without asking its user. */
  readonly stale?: boolean;
}

/**
 * The text that follows `Digest ` in `WWW-Authenticate`.
 *
 * Section 3.3 fixes what is quoted: realm, nonce and qop are; algorithm, stale and charset are not. `stale` is written
 * only where it is true. The text is meant to be sent as UTF-8, and says so.
 *
 * @throws MalformedTokenError where a value holds a control character, which no quoted-string can carry (attack A09)
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
