import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AccountCache } from '../../../src/native/gssapi/account-cache.ts';
import type { SecurityContextToken } from '../../../src/sspi/security-context-token.ts';

const account = (userName: string): SecurityContextToken =>
  Object.freeze({ userName, groups: [], isAnonymous: false, isGuest: false });
const alice = account('alice');
const pac = (text: string): Buffer => Buffer.from(text);

describe('AccountCache', () => {
  const cases: readonly [string, string, boolean, Buffer | undefined, boolean][] = [
    ['the same bytes', 'alice@R', false, pac('groups 1'), true],
    ['another client', 'bob@R', false, pac('groups 1'), false],
    ['the same name in another realm', 'alice@S', false, pac('groups 1'), false],
    ['other bytes of the same length (D12)', 'alice@R', false, pac('groups 2'), false],
    ['a part of the bytes', 'alice@R', false, pac('groups'), false],
    ['no PAC where there was one (D16)', 'alice@R', false, undefined, false],
    ['an empty PAC where there was one', 'alice@R', false, pac(''), false],
    ['an anonymous context', 'alice@R', true, pac('groups 1'), false],
  ];
  for (const [name, client, anonymous, bytes, known] of cases) {
    test(`${name}: ${known ? 'known' : 'not known'}`, () => {
      const cache = new AccountCache();
      cache.set('alice@R', false, pac('groups 1'), alice);
      assert.equal(cache.get(client, anonymous, bytes), known ? alice : undefined);
    });
  }

  test('without a PAC: known only without one', () => {
    const cache = new AccountCache();
    cache.set('alice@R', false, undefined, alice);
    assert.equal(cache.get('alice@R', false, undefined), alice);
    assert.equal(cache.get('alice@R', false, pac('')), undefined);
  });

  test('the newest PAC of a client takes the place of the last one', () => {
    const cache = new AccountCache();
    const later = account('alice');
    cache.set('alice@R', false, pac('groups 1'), alice);
    cache.set('alice@R', false, pac('groups 2'), later);
    assert.equal(cache.get('alice@R', false, pac('groups 1')), undefined);
    assert.equal(cache.get('alice@R', false, pac('groups 2')), later);
  });

  test('keeps bytes of its own: those it was given may change', () => {
    const cache = new AccountCache();
    const bytes = pac('groups 1');
    cache.set('alice@R', false, bytes, alice);
    bytes.fill(0);
    assert.equal(cache.get('alice@R', false, pac('groups 1')), alice);
    assert.equal(cache.get('alice@R', false, bytes), undefined);
  });

  test('has an end: the first client goes, and a PAC that is too large is never kept', () => {
    const cache = new AccountCache();
    for (let index = 0; index <= 256; index++) cache.set(`user${index}@R`, false, pac('groups'), alice);
    assert.equal(cache.get('user0@R', false, pac('groups')), undefined);
    assert.equal(cache.get('user1@R', false, pac('groups')), alice);
    assert.equal(cache.get('user256@R', false, pac('groups')), alice);
    cache.set('user256@R', false, Buffer.alloc(16385), alice);
    assert.equal(cache.get('user256@R', false, Buffer.alloc(16385)), undefined);
    assert.equal(cache.get('user256@R', false, pac('groups')), undefined);
  });
});
