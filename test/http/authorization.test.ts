import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { authorizationField, parseCredentials, parseToken, REPEATED } from '../../src/http/authorization.ts';

describe('Authorization field', () => {
  it('is found whatever the case of its name', () => {
    for (const name of ['Authorization', 'authorization', 'AUTHORIZATION']) {
      assert.equal(authorizationField(['Host', 'x', name, 'NTLM']), 'NTLM');
    }
    assert.equal(authorizationField(['Host', 'x', 'X-Authorization', 'NTLM', 'Authorizatioh', 'y']), undefined);
  });

  for (const [what, headers] of [
    ['Negotiate and Basic', ['Authorization', 'Negotiate AAAA', 'authorization', 'Basic YTpi']],
    ['NTLM twice the same', ['Authorization', 'NTLM AAAA', 'Authorization', 'NTLM AAAA']],
    ['an empty one first', ['Authorization', '', 'Authorization', 'NTLM AAAA']],
  ] as const) {
    it(`A06: two fields are never "the first wins": ${what}`, () => {
      assert.equal(authorizationField(headers), REPEATED);
    });
  }

  const cases: readonly (readonly [string, { scheme: string; parameters: string } | undefined])[] = [
    ['Negotiate AAAA', { scheme: 'negotiate', parameters: 'AAAA' }],
    ['negotiate AAAA', { scheme: 'negotiate', parameters: 'AAAA' }],
    ['NEGOTIATE   AAAA  ', { scheme: 'negotiate', parameters: 'AAAA' }],
    ['NTLM', { scheme: 'ntlm', parameters: '' }],
    ['NTLM   ', { scheme: 'ntlm', parameters: '' }],
    ['NegotiateX AAAA', { scheme: 'negotiatex', parameters: 'AAAA' }],
    ['NEGOTIATE\tAAAA', undefined],
    ['', undefined],
    ['=', undefined],
    ['Negotiate, AAAA', undefined],
    ['"NTLM" AAAA', undefined],
  ];
  for (const [value, expected] of cases) {
    it(`A08: ${JSON.stringify(value)}`, () => {
      assert.deepEqual(parseCredentials(value), expected);
    });
  }

  const tokens: readonly (readonly [string, string, string])[] = [
    ['A01: ', '', 'empty'],
    ['A02: ', 'TlRM_-NT', 'malformed'],
    ['A02: ', 'TlRMTVM', 'malformed'],
    ['A07: ', 'AAAA, NTLM BBBB', 'list'],
    ['A07: ', 'AAAA,BBBB', 'list'],
    ['A05: ', 'A'.repeat(48 * 1024 * 2), 'tooLarge'],
    ['A05: ', 'A'.repeat(10 * 1024 * 1024), 'tooLarge'],
    ['A05: ', ','.repeat(48 * 1024 * 2), 'tooLarge'],
    ['A05: ', '!'.repeat(48 * 1024 * 2), 'tooLarge'],
    ['', 'TlRMTVNTUAA=', 'token'],
  ];
  for (const [attack, text, type] of tokens) {
    it(`${attack}token68 ${JSON.stringify(text.slice(0, 20))} (${text.length}) is ${type}`, () => {
      assert.equal(parseToken(text, 48 * 1024).type, type);
    });
  }

  it('A05: a token of exactly the limit passes, one byte more does not', () => {
    for (const limit of [1, 2, 3, 99, 100, 101, 48 * 1024]) {
      assert.equal(parseToken(Buffer.alloc(limit).toString('base64'), limit).type, 'token');
      assert.equal(parseToken(Buffer.alloc(limit + 1).toString('base64'), limit).type, 'tooLarge');
    }
  });
});
