/** The Authorization field of a request (RFC 9110 section 11.6.2), found and taken apart without guessing. */
import { decodeBase64 } from '../formats/base64.ts';

/** More than one Authorization field: never "the first wins" (attack A06). */
export const REPEATED: unique symbol = Symbol('more than one Authorization field');

/**
 * The value of the Authorization field.
 *
 * @param rawHeaders names and values in turn, as node:http keeps them; `request.headers` would hide a second field
 * @returns the value, undefined where there is none, REPEATED where there are several
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

/** Names of fields. Most others are told from them by their length, and nearly all of the rest by their first letter. */
interface FieldNames {
  /** In lower case, at the place of their length. */
  readonly byLength: readonly (readonly string[] | undefined)[];
  /** A bit for each length among them. */
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

/** RFC 9110 section 7.6.3, RFC 7239, and what proxies set in place of these, each after its own custom. */
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
    // A shift goes by the last five bits of the length: a name of 35 is looked at like one of three.
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
 * Whether a proxy says it passed the request on (Via, Forwarded, X-Forwarded-For and their like): its connection may carry
 * requests of many users, so no identity may stay on it (attack A11). A client that sets the field itself only loses
 * persistence.
 */
export function passedThroughProxy(rawHeaders: readonly string[]): boolean {
  return hasField(rawHeaders, proxyFields);
}

/**
 * Whether a request says nothing of who sends it, so that it is for its connection to say: neither Authorization nor a proxy.
 * Nor Expect, whose client waits to be told.
 */
export function reliesOnConnection(rawHeaders: readonly string[]): boolean {
  return !hasField(rawHeaders, identityFields);
}

/** Credentials: the scheme in lower case, and what follows it. */
export interface Credentials {
  readonly scheme: string;
  /** Without surrounding spaces; empty where the scheme stood alone. */
  readonly parameters: string;
}

/** auth-scheme is a token, and spaces (no tabs) follow it: RFC 9110 sections 11.4 and 5.6.2. */
const credentialsForm = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: +([^ ].*))?$/s;

/**
 * @param value of the Authorization field
 * @returns undefined where it is not of the form `scheme parameters`
 */
export function parseCredentials(value: string): Credentials | undefined {
  const match = credentialsForm.exec(value.trim());
  if (match?.[1] === undefined) return undefined;
  return { scheme: match[1].toLowerCase(), parameters: match[2] ?? '' };
}

/** What became of the base64 token of Negotiate, Kerberos, NTLM or CredSSP. */
export type TokenParse =
  | { readonly type: 'token'; readonly token: Uint8Array }
  /** Nothing after the scheme (attack A01). */
  | { readonly type: 'empty' }
  /** A list of credentials (attack A07), which is not an Authorization field at all. */
  | { readonly type: 'list' }
  | { readonly type: 'malformed' }
  | { readonly type: 'tooLarge' };

/**
 * Decodes a token68.
 *
 * @param maximum largest token in bytes, decoded; checked before anything is decoded (attack A05)
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
