import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  digestAlgorithmNames,
  digestResponse,
  hashedA1,
  verifyDigestResponse,
} from '../../src/crypto/digest-response.ts';
import type { DigestAlgorithm } from '../../src/crypto/digest-response.ts';
import { computeResponse, hashOf } from '../packages/digest/digest-client.ts';
import type { ResponseInput } from '../packages/digest/digest-client.ts';

interface Row {
  readonly id: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly expected: string;
}

const file = new URL('../vectors/vectors.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: readonly Row[] };
const rows = new Map(vectors.filter(({ id }) => id.startsWith('digest.')).map((row) => [row.id, row]));

const row = (id: string): Row => {
  const found = rows.get(id);
  assert.ok(found !== undefined, `${id} is not in vectors.json`);
  return found;
};

/** Rows that the server offers, and so src/crypto computes. */
const computed: readonly (readonly [string, DigestAlgorithm])[] = [
  ['digest.rfc7616.md5', 'MD5'],
  ['digest.rfc7616.sha256', 'SHA-256'],
  ['digest.rfc2617', 'MD5'],
];

const truncatedSha512 = (text: string): string => createHash('sha512').update(text).digest('hex').slice(0, 64);
const sha512Over256 = (text: string): string => createHash('sha512-256').update(text).digest('hex');

/**
 * Rows of what the server does not offer. The client of the tests computes them here, and uses the same computation in
 * test/packages/digest to show that the server refuses them; src/crypto has nothing for them yet.
 */
const waiting: Readonly<Record<string, (input: ResponseInput) => string>> = {
  'digest.rfc7616.md5.rspauth': (input) => computeResponse({ ...input, hash: 'md5', method: '' }),
  'digest.rfc7616.sha512-256.userhash': ({ userName, realm }) => sha512Over256(`${userName}:${realm}`),
  'digest.rfc7616.sha512-256.response': (input) => computeResponse({ ...input, hash: sha512Over256 }),
  'digest.rfc7616.sha512-256.AS-PRINTED.userhash': ({ userName, realm }) => truncatedSha512(`${userName}:${realm}`),
  'digest.rfc7616.sha512-256.AS-PRINTED.response': (input) => computeResponse({ ...input, hash: truncatedSha512 }),
  'digest.md5-sess': (input) => computeResponse({ ...input, hash: 'md5', session: true }),
  'digest.sha256.auth-int': (input) => computeResponse({ ...input, hash: 'sha256', qop: 'auth-int', body: 'hello' }),
  'digest.rfc2069': ({ nonce, password }) =>
    computeResponse({
      ...{ hash: 'md5', userName: 'Mufasa', realm: 'testrealm@host.com', method: 'GET', uri: '/dir/index.html' },
      ...{ nonce, password },
    }),
};

const clientInput = ({ inputs }: Row): ResponseInput => ({
  hash: 'md5',
  userName: inputs['username'] ?? '',
  realm: inputs['realm'] ?? '',
  password: inputs['password'] ?? '',
  method: inputs['method'] ?? '',
  uri: inputs['uri'] ?? '',
  nonce: inputs['nonce'] ?? '',
  nc: inputs['nc'] ?? '',
  cnonce: inputs['cnonce'] ?? '',
  qop: 'auth',
});

const serverInput = (algorithm: DigestAlgorithm, { inputs }: Row): Parameters<typeof digestResponse>[1] => ({
  algorithm,
  method: inputs['method']!,
  uri: inputs['uri']!,
  nonce: inputs['nonce']!,
  nonceCount: inputs['nc']!,
  clientNonce: inputs['cnonce']!,
  qualityOfProtection: 'auth',
});

const a1Of = (algorithm: DigestAlgorithm, { inputs }: Row): string =>
  hashedA1(algorithm, inputs['username']!, inputs['realm']!, inputs['password']!);

describe('digestResponse', () => {
  it('has a test for every digest.* row of the vectors', () => {
    assert.deepEqual([...rows.keys()].sort(), [...computed.map(([id]) => id), ...Object.keys(waiting)].sort());
  });

  it('has a vector for every algorithm of the table', () => {
    const proved = new Set(computed.map(([, algorithm]) => algorithm));
    assert.deepEqual([...proved].sort(), [...digestAlgorithmNames].sort());
  });

  for (const [id, algorithm] of computed) {
    it(`computes ${id}`, () => {
      const input = serverInput(algorithm, row(id));
      assert.equal(digestResponse(a1Of(algorithm, row(id)), input), row(id).expected);
    });

    it(`agrees with the tests' own client on ${id}`, () => {
      assert.equal(computeResponse({ ...clientInput(row(id)), hash: hashOf(algorithm) }), row(id).expected);
    });
  }

  for (const [id, compute] of Object.entries(waiting)) {
    it(`waits for ${id}: not offered; computed by the tests' client only`, () => {
      assert.equal(compute(clientInput(row(id))), row(id).expected);
    });
  }
});

describe('verifyDigestResponse', () => {
  for (const [id, algorithm] of computed) {
    const { expected } = row(id);
    const verify = (response: string): boolean =>
      verifyDigestResponse(a1Of(algorithm, row(id)), serverInput(algorithm, row(id)), response);

    it(`E21: takes ${id} in either case`, () => {
      assert.equal(verify(expected), true);
      assert.equal(verify(expected.toUpperCase()), true);
    });

    it(`E21: refuses what is not exactly ${id}`, () => {
      const last = expected.at(-1) === '0' ? '1' : '0';
      for (const response of [
        '',
        expected.slice(0, -1),
        `${expected}0`,
        ` ${expected}`,
        expected.slice(0, -1) + last,
      ]) {
        assert.equal(verify(response), false, JSON.stringify(response));
      }
    });
  }

  it('E13: refuses the response that RFC 7616 section 3.9.2 prints by mistake', () => {
    const printed = row('digest.rfc7616.sha512-256.AS-PRINTED.response');
    for (const algorithm of digestAlgorithmNames) {
      const input = serverInput(algorithm, printed);
      assert.equal(verifyDigestResponse(a1Of(algorithm, printed), input, printed.expected), false);
    }
  });
});
