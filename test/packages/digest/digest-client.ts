/** A Digest client for tests. Computes with node:crypto alone, so that it does not repeat a mistake of src/crypto. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

/** Everything a response of RFC 7616 section 3.4.1 can depend on, and how. */
export interface ResponseInput {
  /** Name of the hash for node:crypto, or a function where that has none. */
  readonly hash: string | ((text: string) => string);
  readonly userName: string;
  readonly realm: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  readonly nc?: string;
  readonly cnonce?: string;
  /** Left out: RFC 2069. */
  readonly qop?: 'auth' | 'auth-int';
  readonly session?: boolean;
  readonly body?: string;
}

export function computeResponse(input: ResponseInput): string {
  const { hash, nonce, nc = '', cnonce = '', qop } = input;
  const h = (text: string): string =>
    typeof hash === 'function' ? hash(text) : createHash(hash).update(text).digest('hex');
  const secret = h(`${input.userName}:${input.realm}:${input.password}`);
  const a1 = input.session === true ? h(`${secret}:${nonce}:${cnonce}`) : secret;
  const a2 = h(`${input.method}:${input.uri}${qop === 'auth-int' ? `:${h(input.body ?? '')}` : ''}`);
  return qop === undefined ? h(`${a1}:${nonce}:${a2}`) : h(`${a1}:${nonce}:${nc}:${cnonce}:${qop}:${a2}`);
}

/** The parameters of a challenge as this project writes them; a client's reading, made for well-formed text only. */
export function readChallenge(text: string): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [, name, quoted, token] of text.matchAll(/([a-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))(?:, |$)/g)) {
    parameters[name!] = quoted?.replaceAll(/\\(.)/g, '$1') ?? token!;
  }
  assert.ok(parameters['realm'] !== undefined && parameters['nonce'] !== undefined, text);
  return parameters;
}

/** What a client does with a challenge; everything has a default but the challenge. */
export interface AnswerOptions {
  readonly userName?: string;
  readonly password?: string;
  readonly method?: string;
  readonly uri?: string;
  readonly nc?: string;
  readonly cnonce?: string;
  /** Replaces or, with undefined, takes away parameters as written (quotes included), after the response was computed. */
  readonly write?: Readonly<Record<string, string | undefined>>;
  /** Changes what the response is computed from, such as the qop. */
  readonly compute?: Partial<ResponseInput>;
}

export const quote = (value: string): string => `"${value.replaceAll(/["\\]/g, '\\$&')}"`;

/** The hash of an algorithm of Digest as node:crypto calls it: `sha512-256` of `SHA-512-256`. */
export const hashOf = (algorithm: string): string => algorithm.toLowerCase().replace(/^sha-/, 'sha');

/** What follows `Digest ` in Authorization. The last parameter is a mandatory one, so that every prefix lacks something. */
export function answerChallenge(challenge: string, options: AnswerOptions = {}): string {
  const { realm = '', nonce = '', algorithm = 'MD5' } = readChallenge(challenge);
  const { userName = 'alice', password = 'Circle of Life', method = 'GET', uri = '/dir/index.html' } = options;
  const { nc = '00000001', cnonce = '0a4f113b' } = options;
  const hash = hashOf(algorithm);
  const response = computeResponse({
    ...{ hash, userName, realm, password, method, uri, nonce, nc, cnonce, qop: 'auth' },
    ...options.compute,
  });
  const parameters: Record<string, string | undefined> = {
    username: quote(userName),
    realm: quote(realm),
    nonce: quote(nonce),
    uri: quote(uri),
    algorithm,
    qop: 'auth',
    nc,
    cnonce: quote(cnonce),
    response: quote(response),
    ...options.write,
  };
  return Object.entries(parameters)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
    .join(', ');
}
