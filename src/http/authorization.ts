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

/** Whether a request has an Authorization field, or several. */
export function hasAuthorization({ rawHeaders }: { readonly rawHeaders: readonly string[] }): boolean {
  return authorizationField(rawHeaders) !== undefined;
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

/** Schemes by their usual spelling: those of IANA's registry, of this library, and some that are seen. */
const knownSchemes: ReadonlyMap<string, string> = new Map(
  [
    ...['Basic', 'Bearer', 'Concealed', 'Digest', 'DPoP', 'GNAP', 'HOBA', 'Mutual', 'Negotiate', 'OAuth'],
    ...['PrivateToken', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'vapid', 'Kerberos', 'NTLM', 'CredSSP'],
    ...['AWS4-HMAC-SHA256', 'ApiKey', 'Token', 'SharedKey'],
  ].map((name) => [name.toLowerCase(), name]),
);

/**
 * The name of a scheme, for the log. A client that sends a secret without a scheme makes it look like one, so a name
 * that is not known is not repeated.
 *
 * @param scheme in lower case
 */
export function writtenScheme(scheme: string): string {
  return knownSchemes.get(scheme) ?? 'no scheme that is known';
}

/** The result of parsing the base64 token of Negotiate, Kerberos, NTLM or CredSSP. */
export type TokenParse =
  | { readonly type: 'token'; readonly token: Uint8Array }
  /** Nothing after the scheme (attack A01). */
  | { readonly type: 'empty' }
  /** A list of credentials (attack A07). An Authorization field must not contain one. */
  | { readonly type: 'list' }
  | { readonly type: 'malformed' }
  | { readonly type: 'tooLarge'; readonly bytes: number };

/**
 * Decodes a token68.
 *
 * @param maximum largest decoded token in bytes; checked before anything is decoded (attack A05)
 */
export function parseToken(parameters: string, maximum: number): TokenParse {
  if (parameters === '') return { type: 'empty' };
  // Of a text that is too long nothing is decoded: its length tells, give or take two bytes.
  if (parameters.length > Math.ceil(maximum / 3) * 4) {
    return { type: 'tooLarge', bytes: Math.floor((parameters.length * 3) / 4) };
  }
  if (parameters.includes(',')) return { type: 'list' };
  const token = decodeBase64(parameters);
  if (token === undefined) return { type: 'malformed' };
  if (token.byteLength > maximum) return { type: 'tooLarge', bytes: token.byteLength };
  return { type: 'token', token };
}
