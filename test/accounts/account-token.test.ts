import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accountToken } from '../../src/accounts/account-token.ts';

describe('accountToken', () => {
  it('has what the account has, and the domain of the server where it has none', () => {
    const groups = [{ name: 'Staff', attributes: 7, denyOnly: false }];
    const whole = {
      ...{ userName: 'alice', domain: 'CORP', userPrincipalName: 'alice@corp.example', displayName: 'Alice' },
      ...{ sid: 'S-1-5-21-1-2-3-1104', groups },
    };
    assert.deepEqual(accountToken(whole, 'SERVER'), { ...whole, isAnonymous: false, isGuest: false });
    const bare = { userName: 'alice', domain: 'SERVER', groups: [], isAnonymous: false, isGuest: false };
    assert.deepEqual(accountToken({ userName: 'alice' }, 'SERVER'), bare);
    // A source may be JavaScript: fields that are there and undefined are not there.
    const { userName, domain, groups: given, ...fields } = whole;
    const empty = Object.fromEntries(Object.keys(fields).map((name) => [name, undefined]));
    assert.deepEqual(accountToken({ userName, domain: '', ...empty }, 'SERVER'), bare);
    assert.deepEqual(accountToken({ userName, domain, groups: given }, 'SERVER').groups, groups);
  });

  it('no later word of the source changes it', () => {
    const group = { name: 'Staff', attributes: 7, denyOnly: false };
    const groups = [group];
    const token = accountToken({ userName: 'alice', groups }, 'SERVER');
    group.name = 'Domain Admins';
    groups.push({ name: 'Enterprise Admins', attributes: 7, denyOnly: false });
    assert.deepEqual(token.groups, [{ name: 'Staff', attributes: 7, denyOnly: false }]);
    assert.ok(Object.isFrozen(token) && Object.isFrozen(token.groups) && token.groups.every(Object.isFrozen));
  });

  for (const [sid, isGuest, isAnonymous] of [
    ['S-1-5-21-1-2-3-501', true, false],
    ['S-1-5-21-4294967295-4294967295-4294967295-501', true, false],
    ['S-1-5-21-1-2-3-5010', false, false],
    ['S-1-5-21-1-2-501', false, false],
    ['S-1-5-21-1-2-3-4-501', false, false],
    ['S-1-5-32-501', false, false],
    ['S-1-5-21-1-2-3-500', false, false],
    ['S-1-5-7', false, true],
    ['S-1-0-0', false, true],
    ['S-1-5-70', false, false],
  ] as const) {
    it(`C20, C22: ${sid} is ${isGuest ? 'Guest' : isAnonymous ? 'nobody' : 'an account'}`, () => {
      const token = accountToken({ userName: 'alice', sid }, 'SERVER');
      assert.deepEqual([token.isGuest, token.isAnonymous], [isGuest, isAnonymous]);
    });
  }
});
