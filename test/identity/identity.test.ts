/** The identity that is made from the token of an established context, or none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accountName, identityOf } from '../../src/identity/identity.ts';
import type { SecurityContextToken } from '../../src/sspi/security-context-token.ts';

const token: SecurityContextToken = {
  userName: 'alice',
  domain: 'LAB',
  userPrincipalName: 'alice@lab.example',
  displayName: 'Alice',
  sid: 'S-1-5-21-1-2-3-1000',
  groups: [{ sid: 'S-1-5-21-1-2-3-513', attributes: 7, denyOnly: false }],
  isAnonymous: false,
  isGuest: false,
};

describe('an identity', () => {
  it('has what the token says, and the package that ran', () => {
    const { isAnonymous, isGuest, ...facts } = token;
    assert.deepEqual([isAnonymous, isGuest], [false, false]);
    assert.deepEqual(identityOf(token, 'NTLM'), { ...facts, name: 'LAB\\alice', package: 'NTLM' });
  });

  it('is frozen to its last group, and shares nothing with the token', () => {
    const identity = identityOf(token, 'NTLM');
    assert.ok(identity !== undefined);
    assert.ok(Object.isFrozen(identity) && Object.isFrozen(identity.groups) && identity.groups.every(Object.isFrozen));
    assert.notEqual(identity.groups[0], token.groups[0]);
  });

  it('has no property for what is not known, and always a list of groups', () => {
    const bare = { userName: 'alice', groups: [], isAnonymous: false, isGuest: false };
    assert.deepEqual(Object.keys(identityOf(bare, 'Digest') ?? {}).sort(), ['groups', 'name', 'package', 'userName']);
  });

  const names: readonly (readonly [string, Partial<SecurityContextToken>, string])[] = [
    ['the NetBIOS domain comes first', {}, 'LAB\\alice'],
    ['an empty one is none', { domain: '' }, 'alice@lab.example'],
  ];
  for (const [why, change, name] of names) {
    it(`is called ${name}: ${why}`, () => {
      assert.equal(identityOf({ ...token, ...change }, 'P')?.name, name);
      assert.equal(accountName({ ...token, ...change }), name);
    });
  }

  it('is called by its user name where nothing else is known', () => {
    assert.equal(accountName({ userName: 'alice' }), 'alice');
  });

  const none: readonly (readonly [string, Partial<SecurityContextToken>])[] = [
    ['anonymous (C20)', { isAnonymous: true }],
    ['Guest (C22)', { isGuest: true }],
    ['without a name (C21)', { userName: '' }],
    ['of a name with half a character (D22)', { userName: 'j\ud800rg' }],
    ['of a domain with half a character (D22)', { domain: '\udc00LAB' }],
    ['of a userPrincipalName with half a character (D22)', { userPrincipalName: 'j\ud800rg@lab.example' }],
  ];
  for (const [who, change] of none) {
    it(`is none: ${who}`, () => assert.equal(identityOf({ ...token, ...change }, 'P'), undefined));
  }
});
