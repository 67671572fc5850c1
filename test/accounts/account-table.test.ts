import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AccountTable } from '../../src/accounts/account-table.ts';
import type { StoredAccount } from '../../src/accounts/account-table.ts';

const names = { serverDomain: 'CORP', serverName: 'WEB' };

function stored(userName: string, more: Partial<StoredAccount['account']> = {}): StoredAccount {
  return { account: { userName, ...more }, ntHash: undefined, password: undefined };
}

/** The user name of whom a client means that sends one name and no domain. */
function found(table: AccountTable, userName: string): string | undefined {
  return table.find({ ...names, userName, domain: '' })?.account.userName;
}

describe('AccountTable', () => {
  it('C28: whoever is taken out is found by none of his names', () => {
    const table = new AccountTable();
    const userPrincipalName = 'boss@corp.example';
    for (const domain of ['CORP', 'OTHER']) assert.ok(table.add(stored('alice', { domain, userPrincipalName })));
    assert.ok(table.add(stored('bob', { userPrincipalName: 'bob@corp.example' })));
    assert.equal(table.size, 3);
    table.remove('ALICE');
    assert.equal(table.size, 1);
    for (const name of ['alice', 'CORP\\alice', 'alice@CORP', userPrincipalName, 'Boss@Corp.Example']) {
      assert.equal(found(table, name), undefined, name);
    }
    assert.equal(table.hasPrincipal(userPrincipalName), false);
    assert.equal(found(table, 'bob@corp.example'), 'bob');
    table.remove('nobody');
    assert.equal(table.size, 1);
  });

  it('C28: a userPrincipalName stays with who else has it', () => {
    const table = new AccountTable();
    const userPrincipalName = 'team@corp.example';
    table.add(stored('alice', { userPrincipalName }));
    table.add(stored('bob', { userPrincipalName }));
    assert.equal(found(table, userPrincipalName), undefined, 'two have it');
    table.remove('alice');
    assert.equal(found(table, userPrincipalName), 'bob');
  });
});
