/** Finds and parses the Authorization field of a request (RFC 9110 section 11.6.2), without guessing. */
import { decodeBase64 } from '../formats/base64.ts';

/** The result for more than one Authorization field. A rule such as "the first wins" is unsafe (attack A06). */
export const REPEATED: unique symbol = Symbol('more than one Authorization field');

/**
 * The value of the Authorization field.
 *
 * @param rawHeaders names and values alternating, as node:http keeps them; `request.headers` would hide a second field
 * @returns the value, undefined if there is none, REPEATED if there are several
 */
export function authorizationField(rawHeaders: readonly string[]): string | undefined | typeof REPEATED {
  let value: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length !== 13 || name.toLowerCase() !== 'authorization') continue;
    if (value !== undefined) return REPEATED;
    value = rawHeaders[index + 1] ?? '';
  }
  return value;
}

/**
 * A set of field names that is fast to search. The length rules out most other names, the first letter nearly all the
 * rest.
 */
interface FieldNames {
  /** In lower case, indexed by their length. */
  readonly byLength: readonly (readonly string[] | undefined)[];
  /** The bit 1 << length is set for the length of each name. */
  readonly lengths: number;
}

function fieldNames(...names: readonly string[]): FieldNames {
  const longest = Math.max(...names.map(({ length }) => length));
  const byLength = Array.from({ length: longest + 1 }, (_, length) => {
    const ofLength = names.filter((name) => name.length === length);
    return ofLength.length === 0 ? undefined : ofLength;
  });
  return { byLength, lengths: names.reduce((lengths, { length }) => lengths | (1 << length), 0) };
}

/** RFC 9110 section 7.6.3, RFC 7239, and the non-standard fields that proxies set instead. */
const proxyFieldNames = [
  'via',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-server',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
] as const;
const proxyFields = fieldNames(...proxyFieldNames);
const identityFields = fieldNames(...proxyFieldNames, 'authorization', 'expect');

function hasField(rawHeaders: readonly string[], { byLength, lengths }: FieldNames): boolean {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    // A shift uses only the last five bits of the length, so a name of 35 characters also passes where one of 3 does.
    if (((lengths >>> name.length) & 1) !== 0 && isOneOf(name, byLength[name.length])) return true;
  }
  return false;
}

function isOneOf(name: string, names: readonly string[] | undefined): boolean {
  if (names === undefined) return false;
  for (const wanted of names) {
    if ((name.charCodeAt(0) | 0x20) === wanted.charCodeAt(0) && name.toLowerCase() === wanted) return true;
  }
  return false;
}

/**
 * Whether a proxy says that it forwarded the request (Via, Forwarded, X-Forwarded-For and similar fields). The proxy's
 * connection may carry requests of many users, so no identity may stay on it (attack A11). A client that sets such a
 * field itself only loses persistence.
 */
export function passedThroughProxy(rawHeaders: readonly string[]): boolean {
  return hasField(rawHeaders, proxyFields);
}

/**
 * Whether a request itself does not say who sends it, so that the identity of its connection counts. It then has
 * neither Authorization nor a field of a proxy. It has no Expect either, because a client that sends Expect waits for a
 * reply.
 */
export function reliesOnConnection(rawHeaders: readonly string[]): boolean {
  return !hasField(rawHeaders, identityFields);
}

/** Credentials: the scheme in lower case, and the rest. */
export interface Credentials {
  readonly scheme: string;
  /** Without surrounding spaces; empty if only the scheme was sent. */
  readonly parameters: string;
}

/** auth-scheme is a token, and spaces (no tabs) follow it: RFC 9110 sections 11.4 and 5.6.2. */
const credentialsForm = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: +([^ ].*))?$/s;

/**
 * Splits credentials into scheme and parameters.
 *
 * @param value of the Authorization field
 * @returns undefined if it is not of the form `scheme parameters`
 */
export function parseCredentials(value: string): Credentials | undefined {
  const match = credentialsForm.exec(value.trim());
  if (match?.[1] === undefined) return undefined;
  return { scheme: match[1].toLowerCase(), parameters: match[2] ?? '' };
}

/** The result of parsing the base64 token of Negotiate, Kerberos, NTLM or CredSSP. */
export type TokenParse =
  | { readonly type: 'token'; readonly token: Uint8Array }
  /** Nothing after the scheme (attack A01). */
  | { readonly type: 'empty' }
  /** A list of credentials (attack A07). An Authorization field must not contain one. */
  | { readonly type: 'list' }
  | { readonly type: 'malformed' }
  | { readonly type: 'tooLarge' };

/**
 * Decodes a token68.
 *
 * @param maximum largest decoded token in bytes; checked before anything is decoded (attack A05)
 */
export function parseToken(parameters: string, maximum: number): TokenParse {
  if (parameters === '') return { type: 'empty' };
  if (parameters.length > Math.ceil(maximum / 3) * 4) return { type: 'tooLarge' };
  if (parameters.includes(',')) return { type: 'list' };
  const token = decodeBase64(parameters);
  if (token === undefined) return { type: 'malformed' };
  if (token.byteLength > maximum) return { type: 'tooLarge' };
  return { type: 'token', token };
}
