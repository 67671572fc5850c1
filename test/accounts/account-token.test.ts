import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accountProblem, accountToken } from '../../src/accounts/account-token.ts';
import { OptionError } from '../../src/foundation/errors.ts';

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

  it('a source may give the record that it keeps, with empty fields, and groups by name', () => {
    const record = { userName: 'alice', password: 'p', id: 7, displayName: '', sid: null, userPrincipalName: null };
    const token = accountToken({ ...record, groups: ['Staff', { sid: 'S-1-5-32-545' }] } as never, 'SERVER');
    assert.deepEqual(token, {
      ...{ userName: 'alice', domain: 'SERVER', isAnonymous: false, isGuest: false },
      groups: [
        { name: 'Staff', attributes: 7, denyOnly: false },
        { sid: 'S-1-5-32-545', attributes: 7, denyOnly: false },
      ],
    });
    class Row {
      get userName(): string {
        return 'alice';
      }
    }
    assert.equal(accountToken(new Row(), 'SERVER').userName, 'alice');
  });

  for (const [field, more] of [
    ['userName', { userName: 'CORP\\alice' }],
    ['userName', { userName: 'a\u0000' }],
    ['userName', { userName: '\ud800' }],
    ['userName', { userName: 'x'.repeat(257) }],
    ['domain', { domain: 'a\r\nb' }],
    ['domain', { domain: 7 }],
    ['domain', { domain: '.' }],
    ['userPrincipalName', { userPrincipalName: 'a\r\nb' }],
    ['displayName', { displayName: 'a\r\nb' }],
    ['displayName', { displayName: ['a'] }],
    ['sid', { sid: 'S-1-5' }],
    ['sid', { sid: Buffer.of(1) }],
    ['groups', { groups: 'Staff' }],
    ['groups', { groups: new Set(['Staff']) }],
    ['groups[0]', { groups: [null] }],
    ['groups[0]', { groups: [{ attributes: 7, denyOnly: false }] }],
    ['groups[1].name', { groups: ['Staff', 'a\r\nb'] }],
    ['groups[0].denyonly', { groups: [{ name: 'Staff', denyonly: true }] }],
    ['groups[0].denyOnly', { groups: [{ name: 'Staff', denyOnly: 'true' }] }],
    ['groups[0].attribute', { groups: [{ name: 'Staff', attribute: 16 }] }],
    ['groups[0].attributes', { groups: [{ name: 'Staff', attributes: '16' }] }],
  ] as const) {
    it(`names a field that cannot be used: ${field} in ${JSON.stringify(more).slice(0, 60)}`, () => {
      let thrown: unknown;
      try {
        accountToken({ userName: 'alice', ...more } as never, 'SERVER');
      } catch (error) {
        thrown = error;
      }
      assert.ok(thrown instanceof OptionError);
      assert.equal(thrown.option, `account.${field}`);
      assert.match(
        accountProblem(thrown) ?? '',
        new RegExp(`^the account source gave .*: account\\.${field.replace(/[[\]]/g, '\\$&')} `),
      );
    });
  }

  it('an error of another kind is no problem of the account', () => {
    assert.equal(accountProblem(new TypeError('x')), undefined);
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
