import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryAccounts } from '../../src/accounts/memory-accounts.ts';
import type { MemoryAccount } from '../../src/accounts/memory-accounts.ts';
import type { DigestLogon } from '../../src/accounts/account-source.ts';
import type { Group } from '../../src/sspi/index.ts';
import { digestResponse, hashedA1 } from '../../src/crypto/digest-response.ts';
import { ntowfv1, sessionBaseKey, ntowfv2 } from '../../src/crypto/ntlm-keys.ts';
import { OptionError } from '../../src/foundation/errors.ts';
import { logon } from './ntlm-logon.ts';
import type { Trial } from './ntlm-logon.ts';

/** Names of the server that verifies. */
const server = { serverDomain: 'CORP', serverName: 'WEB', serverDnsDomain: 'corp.example' };

/** `DOMAIN\user` of who was accepted, or undefined. */
function verified(accounts: readonly MemoryAccount[], trial: Trial): string | undefined {
  const result = memoryAccounts(accounts).verifyNtlm!(logon(trial));
  assert.ok(!(result instanceof Promise));
  if (result.result !== 'accepted') return undefined;
  return `${result.account.domain ?? ''}\\${result.account.userName}`;
}

describe('memoryAccounts', () => {
  describe('userPrincipalName as a user name', () => {
    const alice = { userName: 'alice', domain: 'CORP', password: 'p', userPrincipalName: 'alice@corp.example' };
    const bob = { userName: 'alice@corp.example', domain: 'OTHER', password: 'q' };

    it('without a domain means its account', () => {
      for (const userName of ['alice@corp.example', 'ALICE@Corp.Example']) {
        assert.equal(verified([alice], { userName, password: 'p' }), 'CORP\\alice');
        assert.equal(verified([alice], { userName, password: 'wrong' }), undefined);
      }
      assert.equal(verified([alice], { userName: 'alice@corp.example', domain: 'CORP', password: 'p' }), undefined);
      assert.equal(verified([alice], { userName: 'bob@corp.example', password: 'p' }), undefined);
      // Only a name with an @ is one.
      assert.equal(verified([{ ...alice, userPrincipalName: 'al' }], { userName: 'al', password: 'p' }), undefined);
    });

    it('a name of that form is a name first', () => {
      assert.equal(
        verified([alice, bob], { userName: 'alice@corp.example', password: 'q' }),
        'OTHER\\alice@corp.example',
      );
      assert.equal(verified([alice, bob], { userName: 'alice@corp.example', password: 'p' }), undefined);
    });

    it('is Digest’s as well, and nobody has another’s', () => {
      const logonOf = (userName: string): DigestLogon => {
        const facts = { method: 'GET', uri: '/', nonce: 'n', nonceCount: '00000001', clientNonce: 'c' };
        const more = { ...facts, algorithm: 'SHA-256' as const, qualityOfProtection: 'auth' as const };
        const response = digestResponse(hashedA1('SHA-256', userName, 'R', 'p'), more);
        return { ...more, userName, realm: 'R', response, ...server };
      };
      const source = memoryAccounts([alice]);
      const result = source.verifyDigest!(logonOf('Alice@corp.example'));
      assert.ok(!(result instanceof Promise) && result.result === 'accepted');
      assert.equal(result.account.userName, 'alice');
      assert.throws(
        () => memoryAccounts([alice, { ...alice, userName: 'b', userPrincipalName: 'ALICE@CORP.EXAMPLE' }]),
        {
          message: /accounts\[1\]\.userPrincipalName" is used by two accounts/,
        },
      );
    });
  });

  it('E14: the password of Digest is prepared as its client prepares it (NFC)', () => {
    const facts = { method: 'GET', uri: '/', nonce: 'n', nonceCount: '00000001', clientNonce: 'c' };
    const more = { ...facts, algorithm: 'MD5' as const, qualityOfProtection: 'auth' as const };
    const response = digestResponse(hashedA1('MD5', 'alice', 'R', 'Pässwort'.normalize('NFC')), more);
    const source = memoryAccounts([{ userName: 'alice', password: 'Pässwort'.normalize('NFD') }]);
    const result = source.verifyDigest!({ ...more, userName: 'alice', realm: 'R', response, ...server });
    assert.ok(!(result instanceof Promise));
    assert.equal(result.result, 'accepted');
  });

  it('E14: the names of Digest are compared in NFC, and A1 has them as sent', () => {
    const facts = { method: 'GET', uri: '/', nonce: 'n', nonceCount: '00000001', clientNonce: 'c' };
    const more = { ...facts, algorithm: 'MD5' as const, qualityOfProtection: 'auth' as const };
    const [composed, decomposed] = [`m\u00fcller`, `mu\u0308ller`];
    for (const userName of [composed, decomposed]) {
      const source = memoryAccounts([{ userName, userPrincipalName: `${userName}@corp.example`, password: 'p' }]);
      for (const sent of [composed, decomposed, composed.toUpperCase(), `${composed}@corp.example`]) {
        const response = digestResponse(hashedA1('MD5', sent, 'R', 'p'), more);
        const result = source.verifyDigest!({ ...more, userName: sent, realm: 'R', response, ...server });
        assert.ok(!(result instanceof Promise) && result.result === 'accepted', `${userName} as ${sent}`);
        assert.equal(result.account.userName, userName, 'as it was configured');
      }
    }
    assert.equal(verified([{ userName: decomposed, password: 'p' }], { userName: composed, password: 'p' }), undefined);
    const two = [composed, decomposed].map((userName) => ({ userName, password: 'p' }));
    assert.throws(() => memoryAccounts(two), /accounts\[1\]\.userName" is used by two accounts/);
  });

  it('E14: the NT hash is of the password as it was given', () => {
    const password = 'Pa\u0308sswort';
    assert.equal(verified([{ userName: 'alice', password }], { userName: 'alice', password }), '\\alice');
  });

  it('a field that is none is named', () => {
    for (const [name, account] of [
      ['Domain', { userName: 'alice', password: 'p', Domain: 'CORP' }],
      ['roles', { userName: 'alice', password: 'p', roles: ['admin'] }],
    ] as const) {
      assert.throws(() => memoryAccounts([account as unknown as MemoryAccount]), {
        code: 'ERR_SSPI_AUTH_OPTION',
        message: new RegExp(
          `"accounts\\[0\\]\\.${name}" is not an option\\. (?:The options are: userName|Write "accounts)`,
        ),
      });
    }
  });

  describe('C28: which account a client means', () => {
    const password = 'p';
    const corp: MemoryAccount = { userName: 'alice', domain: 'CORP', password };
    const web: MemoryAccount = { userName: 'alice', domain: 'WEB', password };
    const other: MemoryAccount = { userName: 'alice', domain: 'OTHER', password };
    const own: MemoryAccount = { userName: 'alice', password };
    const table: readonly (readonly [
      accounts: readonly MemoryAccount[],
      domain: string,
      accepted: string | undefined,
    ])[] = [
      [[corp], 'CORP', 'CORP\\alice'],
      [[corp], 'corp', 'CORP\\alice'],
      [[corp], '', 'CORP\\alice'],
      [[corp], '.', 'CORP\\alice'],
      [[corp], 'WEB', 'CORP\\alice'],
      [[corp], 'ELSEWHERE', undefined],
      [[corp], 'corp.example', 'CORP\\alice'],
      [[corp], 'CORP.Example', 'CORP\\alice'],
      [[corp], 'corp.example.test', undefined],
      [[other], 'corp.example', undefined],
      [[own], 'corp.example', '\\alice'],
      [[web, own], 'WEB', 'WEB\\alice'],
      [[web, own], 'CORP', '\\alice'],
      [[web, own], 'corp.example', '\\alice'],
      [[web, own], '', undefined],
      [[other], 'OTHER', 'OTHER\\alice'],
      [[other], '', 'OTHER\\alice'],
      [[other], 'CORP', undefined],
      [[other], 'WEB', undefined],
      [[own], '', '\\alice'],
      [[own], '.', '\\alice'],
      [[own], 'CORP', '\\alice'],
      [[own], 'WEB', '\\alice'],
      [[own], 'ELSEWHERE', '\\alice'],
      [[corp, other], 'OTHER', 'OTHER\\alice'],
      [[corp, other], 'CORP', 'CORP\\alice'],
      [[corp, other], '', undefined],
      [[corp, other], '.', undefined],
      [[corp, own], 'CORP', undefined],
      [[corp, own], '', undefined],
      [[corp, own], 'WEB', undefined],
      [[corp, own], 'ELSEWHERE', '\\alice'],
      [[corp, web], 'WEB', 'WEB\\alice'],
      [[corp, web], 'ELSEWHERE', undefined],
    ];
    for (const [accounts, domain, accepted] of table) {
      const names = accounts.map((account) => `${account.domain ?? ''}\\alice`).join(' and ');
      it(`${names}, the client says ${JSON.stringify(domain)}: ${accepted ?? 'refused'}`, () => {
        assert.equal(verified(accounts, { userName: 'ALICE', domain, password }), accepted);
        assert.equal(verified(accounts, { userName: 'ALICE', domain, password: 'q' }), undefined);
      });
    }
  });

  describe('C28: a domain that the client put into the user name', () => {
    const password = 'p';
    const corp: MemoryAccount = { userName: 'alice', domain: 'CORP', password };
    const other: MemoryAccount = { userName: 'alice', domain: 'OTHER', password };
    const own: MemoryAccount = { userName: 'alice', password };
    const named: MemoryAccount = { ...corp, userName: 'alice@corp' };
    const principal: MemoryAccount = { ...other, userName: 'bob', userPrincipalName: 'alice@corp' };
    const suffixed: MemoryAccount = { ...other, userPrincipalName: 'a.smith@other.example' };
    for (const [accounts, userName, accepted] of [
      [[corp], 'CORP\\alice', 'CORP\\alice'],
      [[corp], 'corp\\ALICE', 'CORP\\alice'],
      [[corp], 'WEB\\alice', 'CORP\\alice'],
      [[corp], 'corp.example\\alice', 'CORP\\alice'],
      [[corp], '\\alice', 'CORP\\alice'],
      [[corp], 'ELSEWHERE\\alice', undefined],
      [[corp], 'CORP\\CORP\\alice', undefined],
      [[corp], 'CORP\\', undefined],
      [[own], 'ELSEWHERE\\alice', '\\alice'],
      [[corp, other], 'OTHER\\alice', 'OTHER\\alice'],
      [[corp], 'alice@CORP', 'CORP\\alice'],
      [[corp], 'ALICE@corp.example', 'CORP\\alice'],
      [[corp], 'alice@WEB', 'CORP\\alice'],
      [[corp], 'alice@ELSEWHERE', undefined],
      [[corp], 'alice@', undefined],
      [[corp], '@CORP', undefined],
      [[corp], 'alice@x@CORP', undefined],
      [[own], 'alice@CORP', '\\alice'],
      [[own], 'alice@ELSEWHERE', undefined],
      [[corp, other], 'alice@OTHER', 'OTHER\\alice'],
      [[corp, named], 'alice@corp', 'CORP\\alice@corp'],
      [[corp, principal], 'alice@corp', 'OTHER\\bob'],
      [[suffixed], 'other.example\\alice', 'OTHER\\alice'],
      [[suffixed], 'alice@Other.Example', 'OTHER\\alice'],
      [[suffixed], 'example\\alice', undefined],
      [[suffixed], 'other.example\\bob', undefined],
    ] as const) {
      const names = accounts.map(({ domain = '', ...account }) => `${domain}\\${account.userName}`).join(' and ');
      it(`${names}, the client says ${userName}: ${accepted ?? 'refused'}`, () => {
        assert.equal(verified(accounts, { userName, password }), accepted);
        assert.equal(verified(accounts, { userName, password: 'q' }), undefined);
        // A domain of its own: then the user name is one, whatever is in it.
        assert.equal(verified([corp], { userName: 'CORP\\alice', domain: 'CORP', password }), undefined);
        assert.equal(verified([corp], { userName: 'alice@CORP', domain: 'CORP', password }), undefined);
      });
    }
  });

  describe('C28: one name is one account', () => {
    const password = 'p';
    const clash = (accounts: readonly MemoryAccount[], domain: string, dnsDomain?: string): void =>
      memoryAccounts(accounts).checkServerNames!({
        serverDomain: domain,
        serverName: 'WEB',
        serverDnsDomain: dnsDomain,
      });
    const own = { userName: 'alice', password };
    for (const [accounts, second] of [
      [[own, { ...own, domain: 'CORP' }], 1],
      [[{ ...own, domain: 'corp' }, own], 1],
      [
        [{ ...own, userName: 'bob' }, { ...own, domain: 'OTHER' }, own, { ...own, userName: 'ALICE', domain: 'Corp' }],
        3,
      ],
      [[own, { ...own, domain: 'corp.example' }], 1],
      [
        [
          { ...own, userName: 'm\u00fcller' },
          { ...own, userName: 'mu\u0308ller', domain: 'CORP' },
        ],
        1,
      ],
    ] as const) {
      it(`${accounts.map(({ userName, ...more }) => `${'domain' in more ? more.domain : ''}\\${userName}`).join(', ')} at the domain CORP`, () => {
        assert.throws(
          () => clash(accounts, 'CORP', 'corp.example'),
          (error) =>
            error instanceof OptionError &&
            error.option === `accounts[${second}].userName` &&
            error.message.includes('a second time') &&
            !error.message.includes(password.repeat(2)),
        );
        clash(accounts, 'LAB');
      });
    }
    it('the domain of this computer is not the one that it belongs to', () => {
      clash([own, { ...own, domain: 'WEB' }], 'CORP');
    });
  });

  it('MS-NLMP 3.2.5.1.2: a domain left out of the computation', () => {
    const accounts = [{ userName: 'alice', password: 'p' }];
    assert.equal(verified(accounts, { userName: 'alice', domain: 'CORP', hashedDomain: '', password: 'p' }), '\\alice');
    const another = { userName: 'alice', domain: 'CORP', hashedDomain: 'OTHER', password: 'p' };
    assert.equal(verified(accounts, another), undefined);
  });

  it('gives the key and the record of the account', () => {
    const group = { name: 'CORP\\Staff', attributes: 7, denyOnly: false };
    const source = memoryAccounts([
      { userName: 'Alice', password: 'p', sid: 'S-1-5-21-1-2-3-4', displayName: 'A', groups: ['CORP\\Staff'] },
    ]);
    const asked = logon({ userName: 'aLICE', password: 'p' });
    const result = source.verifyNtlm!(asked);
    assert.ok(!(result instanceof Promise) && result.result === 'accepted');
    const { account } = result;
    assert.equal(account.userName, 'Alice');
    assert.deepEqual(account.groups, [group]);
    assert.ok(Object.isFrozen(account) && Object.isFrozen(account.groups));
    const key = sessionBaseKey(ntowfv2(ntowfv1('p'), 'Alice', ''), asked.ntResponse.subarray(0, 16));
    assert.deepEqual(result.sessionBaseKey, key);
  });

  it('gives the groups as they were configured: by name, by identifier, and such that only deny', () => {
    const sid = 'S-1-5-21-1-2-3-512';
    const groups = [
      'Staff',
      { sid } as Group,
      { sid: 'S-1-5-32-544', name: 'Administrators', attributes: 16, denyOnly: true },
      // SE_GROUP_USE_FOR_DENY_ONLY, whatever else is set.
      { name: 'Operators', attributes: 0x17 } as Group,
    ];
    const source = memoryAccounts([{ userName: 'a', password: 'p', groups }]);
    const result = source.verifyNtlm!(logon({ userName: 'a', password: 'p' }));
    assert.ok(!(result instanceof Promise) && result.result === 'accepted');
    assert.deepEqual(result.account.groups, [
      { name: 'Staff', attributes: 7, denyOnly: false },
      { sid, attributes: 7, denyOnly: false },
      { sid: 'S-1-5-32-544', name: 'Administrators', attributes: 16, denyOnly: true },
      { name: 'Operators', attributes: 0x17, denyOnly: true },
    ]);
    assert.ok(result.account.groups.every(Object.isFrozen));
  });

  it('a field that is there and undefined is not there', () => {
    const none = { userPrincipalName: undefined, displayName: undefined, sid: undefined, groups: undefined };
    const trial = { userName: 'a', password: 'p' };
    assert.equal(verified([{ ...none, domain: undefined, ntHash: undefined, ...trial }], trial), '\\a');
    assert.equal(verified([{ ...none, password: undefined, userName: 'a', ntHash: ntowfv1('p') }], trial), '\\a');
    const source = memoryAccounts([{ ...none, ...trial, userName: 'x'.repeat(256) }]);
    assert.equal(source.description, 'memoryAccounts (1 account)');
    const result = source.verifyNtlm!(logon({ userName: 'x'.repeat(256), password: 'p' }));
    assert.ok(!(result instanceof Promise) && result.result === 'accepted');
    assert.deepEqual(result.account.groups, []);
  });

  it('takes an NT hash as bytes or as hexadecimal digits', () => {
    const hash = ntowfv1('p');
    for (const ntHash of [hash, Buffer.from(hash).toString('hex'), Buffer.from(hash).toString('hex').toUpperCase()]) {
      assert.equal(verified([{ userName: 'a', ntHash }], { userName: 'a', password: 'p' }), '\\a');
    }
  });

  it('an NT hash changed by its owner afterwards changes nothing', () => {
    const ntHash = Uint8Array.from(ntowfv1('p'));
    const source = memoryAccounts([{ userName: 'a', ntHash }]);
    ntHash.fill(0);
    const result = source.verifyNtlm!(logon({ userName: 'a', password: 'p' }));
    assert.equal((result as { result: string }).result, 'accepted');
  });

  for (const userName of ['__proto__', 'constructor', 'hasOwnProperty', '0']) {
    it(`G05: ${userName} is a name like any other`, () => {
      assert.equal(verified([{ userName: 'alice', password: 'p' }], { userName, password: 'p' }), undefined);
      assert.equal(verified([{ userName, password: 'p' }], { userName, password: 'p' }), `\\${userName}`);
    });
  }

  describe('Digest', () => {
    const base = {
      ...{ realm: 'site', method: 'GET', uri: '/', nonce: 'n', nonceCount: '00000001', clientNonce: 'c' },
      qualityOfProtection: 'auth' as const,
      ...server,
    };
    const ask = (accounts: readonly MemoryAccount[], userName: string, password: string): string | undefined => {
      const outcomes = (['MD5', 'SHA-256'] as const).map((algorithm) => {
        const input = { ...base, algorithm, userName };
        const response = digestResponse(hashedA1(algorithm, userName, base.realm, password), input);
        const request: DigestLogon = { ...input, response };
        const result = memoryAccounts(accounts).verifyDigest!(request);
        assert.ok(!(result instanceof Promise));
        return result.result === 'accepted' ? result.account.userName : undefined;
      });
      assert.equal(outcomes[0], outcomes[1]);
      return outcomes[0];
    };
    const alice: MemoryAccount = { userName: 'Alice', domain: 'CORP', password: 'p' };
    const hashed: MemoryAccount = { userName: 'bob', ntHash: ntowfv1('p') };
    it('verifies by the password', () => {
      assert.equal(ask([alice], 'alice', 'p'), 'Alice');
      assert.equal(ask([alice], 'CORP\\alice', 'p'), 'Alice');
      assert.equal(ask([alice], 'OTHER\\alice', 'p'), undefined);
      for (const name of ['WEB\\alice', 'corp.example\\alice', 'alice@CORP', 'alice@corp.example']) {
        assert.equal(ask([alice], name, 'p'), 'Alice', name);
      }
      assert.equal(ask([alice], 'alice', 'P'), undefined);
      assert.equal(ask([alice], 'mallory', 'p'), undefined);
      assert.equal(ask([alice], '', 'p'), undefined);
    });
    it('refuses an account of which only the NT hash is known', () => {
      for (const guess of ['p', '', 'undefined', Buffer.from(ntowfv1('p')).toString('hex')]) {
        assert.equal(ask([alice, hashed], 'bob', guess), undefined);
      }
    });
    it('is not offered where no account has a password', () => {
      assert.ok(!('verifyDigest' in memoryAccounts([hashed])));
    });
  });

  describe('C23: accounts that cannot be', () => {
    const table: readonly (readonly [accounts: unknown, option: string])[] = [
      [undefined, 'accounts'],
      [[], 'accounts'],
      [[null], 'accounts[0]'],
      [['alice'], 'accounts[0]'],
      [[{ userName: 'a' }], 'accounts[0].password'],
      [[{ userName: 'a', password: '' }], 'accounts[0].password'],
      [[{ userName: 'a', password: null }], 'accounts[0].password'],
      [[{ userName: 'a', password: undefined }], 'accounts[0].password'],
      [[{ userName: 'a', password: 7 }], 'accounts[0].password'],
      [[{ userName: 'a', ntHash: '' }], 'accounts[0].ntHash'],
      [[{ userName: 'a', ntHash: null }], 'accounts[0].ntHash'],
      [[{ userName: 'a', ntHash: 'zz'.repeat(16) }], 'accounts[0].ntHash'],
      // Node reads hexadecimal digits as far as they go.
      [[{ userName: 'a', ntHash: 'a'.repeat(33) }], 'accounts[0].ntHash'],
      [[{ userName: 'a', ntHash: `${'a'.repeat(32)}zz` }], 'accounts[0].ntHash'],
      [[{ userName: 'a', ntHash: new Uint8Array(15) }], 'accounts[0].ntHash'],
      [[{ userName: 'a', ntHash: '31D6CFE0D16AE931B73C59D7E0C089C0' }], 'accounts[0].ntHash'],
      [[{ userName: 'a', password: 'p', ntHash: new Uint8Array(16) }], 'accounts[0]'],
      [[{ userName: '', password: 'p' }], 'accounts[0].userName'],
      [[{ userName: 'D\\a', password: 'p' }], 'accounts[0].userName'],
      [[{ userName: 'a\n', password: 'p' }], 'accounts[0].userName'],
      [[{ userName: 'a\u007f', password: 'p' }], 'accounts[0].userName'],
      [[{ userName: 'a\u009f', password: 'p' }], 'accounts[0].userName'],
      [[{ userName: 'x'.repeat(257), password: 'p' }], 'accounts[0].userName'],
      [[{ userName: '\ud800', password: 'p' }], 'accounts[0].userName'],
      [[{ password: 'p' }], 'accounts[0].userName'],
      [[{ userName: 'a', domain: '', password: 'p' }], 'accounts[0].domain'],
      [[{ userName: 'a', domain: '.', password: 'p' }], 'accounts[0].domain'],
      [
        [
          { userName: 'a', sid: 'S-1-5-21-1-2-3-4', password: 'p' },
          { userName: 'b', sid: 'S-1-5-21-1-2-3-4', password: 'p' },
        ],
        'accounts[1].sid',
      ],
      ...['S-2', 'S-1-5', 'xS-1-5-7', 'S-1-5-7x', `S-1-5${'-1'.repeat(16)}`, 7, ''].map(
        (sid) => [[{ userName: 'a', sid, password: 'p' }], 'accounts[0].sid'] as const,
      ),
      ...['', 7, null].flatMap(
        (text) =>
          [
            [[{ userName: 'a', userPrincipalName: text, password: 'p' }], 'accounts[0].userPrincipalName'],
            [[{ userName: 'a', displayName: text, password: 'p' }], 'accounts[0].displayName'],
            [[{ userName: 'a', groups: [{ name: text }], password: 'p' }], 'accounts[0].groups[0].name'],
          ] as const,
      ),
      ...['a\r\nb', 'a\u0000', 'a\u0085', 'half of a pair \ud83d'].flatMap(
        (text) =>
          [
            [[{ userName: 'a', userPrincipalName: text, password: 'p' }], 'accounts[0].userPrincipalName'],
            [[{ userName: 'a', displayName: text, password: 'p' }], 'accounts[0].displayName'],
            [[{ userName: 'a', groups: ['ok', text], password: 'p' }], 'accounts[0].groups[1].name'],
          ] as const,
      ),
      // Ignored, each would make a group that grants of one that only denies.
      [[{ userName: 'a', groups: [{ name: 'x', denyonly: true }], password: 'p' }], 'accounts[0].groups[0].denyonly'],
      [[{ userName: 'a', groups: [{ name: 'x', denyOnly: 'true' }], password: 'p' }], 'accounts[0].groups[0].denyOnly'],
      [[{ userName: 'a', groups: [{ name: 'x', denyOnly: 1 }], password: 'p' }], 'accounts[0].groups[0].denyOnly'],
      [[{ userName: 'a', groups: [{ name: 'x', attribute: 16 }], password: 'p' }], 'accounts[0].groups[0].attribute'],
      [
        [{ userName: 'a', groups: [{ name: 'x', attributes: '16' }], password: 'p' }],
        'accounts[0].groups[0].attributes',
      ],
      [[{ userName: 'a', groups: [{ name: 'x', attributes: -1 }], password: 'p' }], 'accounts[0].groups[0].attributes'],
      [[{ userName: 'a', groups: 'x', password: 'p' }], 'accounts[0].groups'],
      ...[{}, null, 7].map(
        (group) => [[{ userName: 'a', groups: [group], password: 'p' }], 'accounts[0].groups[0]'] as const,
      ),
      [[{ userName: 'a', groups: ['x', { sid: 'S-2' }], password: 'p' }], 'accounts[0].groups[1].sid'],
      [
        [
          { userName: 'a', password: 'p' },
          { userName: 'A', password: 'q' },
        ],
        'accounts[1].userName',
      ],
      [
        [
          { userName: 'a', domain: 'X', password: 'p' },
          { userName: 'b', password: 'p' },
          { userName: 'A', domain: 'x', password: 'q' },
        ],
        'accounts[2].userName',
      ],
    ];
    for (const [accounts, option] of table) {
      it(JSON.stringify(accounts) ?? 'undefined', () => {
        assert.throws(
          () => memoryAccounts(accounts as readonly MemoryAccount[]),
          (error) => error instanceof OptionError && error.option === option,
        );
      });
    }
    it('G04: no message holds a password or a hash', () => {
      const secret = 'correct horse';
      for (const account of [
        { userName: '', password: secret },
        { userName: 'a', password: secret, ntHash: secret },
        { userName: 'a', ntHash: secret },
      ]) {
        assert.throws(
          () => memoryAccounts([account]),
          (error) => error instanceof Error && !error.message.includes(secret),
        );
      }
    });
  });

  it('G01: an unknown account costs the same hashes as a wrong password', async () => {
    const crypto = (await import('node:crypto')).default;
    const { syncBuiltinESMExports } = await import('node:module');
    const { createHash, createHmac, hash } = crypto;
    let count = 0;
    const counted = <F extends (...parameters: never[]) => unknown>(original: F): F =>
      ((...parameters: Parameters<F>) => {
        count++;
        return original(...parameters);
      }) as F;
    Object.assign(crypto, { createHash: counted(createHash), createHmac: counted(createHmac), hash: counted(hash) });
    syncBuiltinESMExports();
    try {
      const source = memoryAccounts([{ userName: 'alice', domain: 'CORP', password: 'p' }]);
      const cost = (trial: Trial): number => {
        const asked = logon(trial);
        count = 0;
        const result = source.verifyNtlm!(asked);
        assert.equal((result as { result: string }).result, 'refused');
        return count;
      };
      for (const domain of ['', 'CORP', 'ELSEWHERE']) {
        const wrong = cost({ userName: 'alice', domain: domain === 'ELSEWHERE' ? 'CORP' : domain, password: 'x' });
        const unknown = cost({ userName: 'mallory', domain, password: 'x' });
        assert.equal(unknown, wrong);
        // NTOWFv2 and NTProofStr, two hashes each (RFC 2104).
        assert.ok(unknown >= 4);
      }
    } finally {
      Object.assign(crypto, { createHash, createHmac, hash });
      syncBuiltinESMExports();
    }
  });
});
