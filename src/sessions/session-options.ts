/** Option `session`: what a sealed cookie is made of, and how long it lasts. */
import { OptionError } from '../foundation/errors.ts';
import { defaulted, defaultsOf, group, optional, required } from '../foundation/option-table.ts';
import type { OptionsOf, SettingsOf } from '../foundation/option-table.ts';
import { flag, listOf, secretBytes, shown, someOf, text, wholeNumber } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import type { Secret } from '../foundation/secret.ts';

const atLeastOne = wholeNumber(1, 0x7fffffff);

/** A token of RFC 9110 section 5.6.2, of a length that leaves room for the rest. */
const cookieName: Reader<string> = (value, option) => {
  const cure = 'Give letters, digits, hyphens and underscores, at most 64; the prefix __Host- comes by itself.';
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(value) || /^__/.test(value)) {
    throw new OptionError(option, shown(value), cure);
  }
  return value;
};

/** A path as a request has it, without a query. */
const path: Reader<string> = (value, option) => {
  if (typeof value !== 'string' || !/^\/[!-~]*$/.test(value) || /[?#]/.test(value)) {
    throw new OptionError(option, shown(value), "Give a path such as '/sign-in'.");
  }
  return value;
};

/** Secrets in place of one, for those that have been in use. */
const secrets: Reader<readonly Secret[], readonly (Uint8Array | string)[]> = (value, option) => {
  const list = listOf((given: unknown, path: string) => secretBytes(32)(given, path), 'secrets');
  return list(value, option);
};

export const sessionCookieOptions = {
  /** Name of the cookie, without the prefix `__Host-` that it gets. The cookie of a sign-out has `-out` after it. */
  name: defaulted(cookieName, 'sspi-auth'),
  /**
   * The cookie is for TLS alone: `Secure`, with the prefix `__Host-`. `false`: browsers send it over plain HTTP too, where
   * everybody on the way can read and use it.
   */
  secure: defaulted(flag, true),
  /** Whom a cookie is for. A cookie of another audience is not taken, even if the secret is the same. */
  audience: optional(text, { otherwise: 'the name of the cookie' }),
};

/** What of the identity a cookie may keep, beside the name of the account. */
export const sessionFields = ['userPrincipalName', 'displayName', 'sid', 'groups'] as const;

export const sessionOptions = {
  /**
   * Secrets that cookies are sealed with, each of at least 32 random bytes. The first one seals, all of them open: put a
   * new one first, and remove the old one when its sessions have ended. Of several processes, all have to know the new one,
   * in the last place, before it comes first in any.
   */
  secrets: required(secrets, 'Give an array of secrets, each of at least 32 random bytes.'),
  /** Name and kind of the cookie. */
  cookie: defaulted(group(sessionCookieOptions), defaultsOf(sessionCookieOptions)),
  /**
   * How long a session lasts after its sign-in, in milliseconds. It ends earlier with its ticket, and with
   * `limits.identityMilliseconds`.
   */
  lifetimeMilliseconds: defaulted(atLeastOne, 8 * 60 * 60 * 1000),
  /** How long a session lasts without a request, in milliseconds. */
  idleMilliseconds: defaulted(atLeastOne, 60 * 60 * 1000),
  /**
   * What the cookie keeps of the identity, beside the name. What is left out is not there on the requests of a session:
   * without `groups` a user has none.
   */
  fields: defaulted(someOf(...sessionFields), sessionFields as readonly (typeof sessionFields)[number][]),
  /**
   * The path at which users sign in again after a sign-out, such as `/sign-in`. The mark of the sign-out is ignored there,
   * and a sign-in that succeeds removes it.
   */
  signInPath: optional(path, { otherwise: 'none: a sign-out lasts until the browser is closed' }),
  /** How old what the `store` says of a session may be, in milliseconds. A sign-out takes effect elsewhere within this time. */
  revocationCheckMilliseconds: defaulted(atLeastOne, 30_000),
};

/** Option `session`. */
export type SessionOptions = OptionsOf<typeof sessionOptions>;

/** Option `session` after checking. */
export type SessionSettings = SettingsOf<typeof sessionOptions>;
