/** AUTHENTICATE_MESSAGEs that are well formed: what proves no account, whose name is whose, and what the client claims. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { filetimeOf } from '../../../src/formats/filetime.ts';
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/index.ts';
import {
  acquireCredentialsHandle,
  makeSignature,
  queryContextAttributes,
  querySecurityContextToken,
  SEC_E_LOGON_DENIED,
  SEC_E_OK,
  SEC_E_QOP_NOT_SUPPORTED,
  SEC_E_UNSUPPORTED_FUNCTION,
  SEC_E_WRONG_PRINCIPAL,
  SECBUFFER_DATA,
  SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
  statusName,
} from '../../../src/sspi/index.ts';
import { attempt, patch, right, type1 } from './deviating-client.ts';
import type { Attempt } from './deviating-client.ts';
import { authenticateMessage, u32, utf16, WINDOWS_FLAGS } from './ntlm-client.ts';
import type { ClientOptions } from './ntlm-client.ts';
import { accounts, clockAt, leg, NOW, tokenOf } from './ntlm-server.ts';

describe('NTLM attacks', () => {
  describe('what does not prove the account', () => {
    const refuse = (name: string, client: ClientOptions, how: Attempt = {}): void => {
      it(name, () => assert.equal(attempt(client, how).status, SEC_E_LOGON_DENIED));
    };
    refuse('C12: a response of 24 bytes', { ...right, ntResponse: new Uint8Array(24).fill(7) });
    refuse('C12: LM alone', { ...right, ntResponse: new Uint8Array(0), lmResponse: new Uint8Array(24).fill(7) });
    refuse('C13: MIC promised, header of 64 bytes', { ...right, headerBytes: 64 });
    refuse('C13: MIC promised, header of 72 bytes', { ...right, headerBytes: 72 });
    refuse('C13: MIC promised and zero', right, { alter: (message) => message.fill(0, 72, 88) });
    refuse('C14: no MIC where one is required', { ...right, mic: false }, { authData: { requireMic: true } });
    it('C14: the promise struck from the response breaks the proof', () => {
      const strike = (message: Uint8Array): Uint8Array => {
        const at = Buffer.from(message).indexOf(Buffer.from([6, 0, 4, 0, 2, 0, 0, 0]));
        assert.ok(at > 0);
        return patch(at + 4, 32, 0)(message);
      };
      assert.equal(attempt(right, { alter: strike }).status, SEC_E_LOGON_DENIED);
    });
    refuse('C20: anonymous, empty', { userName: '', ntResponse: new Uint8Array(0), lmResponse: new Uint8Array(0) });
    refuse('C20: anonymous, LM of one zero', {
      userName: '',
      ntResponse: new Uint8Array(0),
      lmResponse: new Uint8Array(1),
    });
    refuse('C21: no user but a response', { ...right, userName: '' });
    refuse('C21: a user and no response', { ...right, ntResponse: new Uint8Array(0), lmResponse: new Uint8Array(0) });
    refuse('C21: ANONYMOUS and a user', { ...right, flags: WINDOWS_FLAGS | 0x800 });
    refuse('C22: an unknown user with an empty password', { ...right, userName: 'Guest', password: '' });
    for (const [name, timestamp] of [
      ['37 hours old', filetimeOf(NOW - 37 * 3_600_000)],
      ['37 hours ahead', filetimeOf(NOW + 37 * 3_600_000)],
      ['zero', 0n],
      ['0xffffffffffffffff', 0xffffffffffffffffn],
      ['one interval too old', filetimeOf(NOW - 36 * 3_600_000) - 1n],
    ] as const) {
      refuse(`C24: time ${name}`, { ...right, timestamp });
    }
    it('C24: 36 hours exactly are accepted, in both directions', () => {
      for (const hours of [36, -36]) {
        assert.equal(attempt({ ...right, timestamp: filetimeOf(NOW + hours * 3_600_000) }).status, SEC_E_OK);
      }
    });
    for (const userName of ['__proto__', 'constructor', 'hasOwnProperty', '0', 'toString']) {
      refuse(`G05: user ${userName}`, { ...right, userName });
    }
    it('C28: DOMAIN\\user and user@domain inside the user name are that account, and no other', () => {
      for (const [userName, status] of [
        ['Domain\\User', SEC_E_OK],
        ['User@Domain', SEC_E_OK],
        ['Elsewhere\\User', SEC_E_LOGON_DENIED],
        ['User@Elsewhere', SEC_E_LOGON_DENIED],
      ] as const) {
        for (const mic of [true, false]) {
          const result = attempt({ ...right, userName, domain: '', mic });
          assert.equal(result.status, status, userName);
          if (status !== SEC_E_OK) continue;
          assert.deepEqual(querySecurityContextToken(result.context!).value?.userName, 'User');
        }
        const wrong = attempt({ ...right, userName, domain: '', password: 'wrong' });
        assert.equal(wrong.status, SEC_E_LOGON_DENIED);
      }
    });
    refuse('C28: a domain in both fields', { ...right, userName: 'Domain\\User' });
    refuse('C28: another domain', { ...right, domain: 'Elsewhere' });
    it('C11: 128-bit keys dropped by the answer', () => {
      const flags = WINDOWS_FLAGS & ~0x20000000;
      // With extended session security and without it.
      for (const dropped of [flags, flags & ~0x80000]) {
        const { status } = attempt({ ...right, flags: dropped }, { authData: { require128: true } });
        assert.equal(status, SEC_E_UNSUPPORTED_FUNCTION);
      }
    });
    it('C11: extended session security dropped by the answer leaves no protection', () => {
      const dropped = WINDOWS_FLAGS & ~0x80000;
      // With the flag gone no key is exchanged: who makes a MIC with an exchanged one is refused.
      assert.equal(attempt({ ...right, flags: dropped }).status, SEC_E_LOGON_DENIED);
      for (const client of [
        { ...right, flags: dropped & ~0x40000000 },
        { ...right, flags: dropped, mic: false },
      ]) {
        const result = attempt(client);
        assert.equal(result.status, SEC_E_OK);
        assert.equal(result.attributes, 0);
        assert.ok(result.context !== undefined);
        assert.equal(
          makeSignature(result.context, [{ type: SECBUFFER_DATA, data: Buffer.from('x') }]).status,
          SEC_E_QOP_NOT_SUPPORTED,
        );
      }
    });
    it('C11: flags that were not offered have no effect', () => {
      const result = attempt({ ...right, flags: (WINDOWS_FLAGS | 0x80 | 0x100000) >>> 0 });
      assert.equal(result.status, SEC_E_OK);
      assert.equal((result.attributes ?? 0) & 0x80000, 0);
    });
  });

  describe('C26: names', () => {
    const names: readonly (readonly [account: string, sent: string, upper: string])[] = [
      ['straße', 'STRAßE', 'STRAßE'],
      ['ılgaz', 'ıLGAZ', 'ıLGAZ'],
      ['ſam', 'ſAM', 'ſAM'],
      ['émile', 'ÉMILE', 'ÉMILE'],
      ['юрий', 'ЮРИЙ', 'ЮРИЙ'],
      ['emoji🙂', 'EMOJI🙂', 'EMOJI🙂'],
    ];
    for (const [userName, sent, hashedUser] of names) {
      it(`${userName} as ${sent}`, () => {
        const source = memoryAccounts([{ userName, password: 'p' }]);
        const result = attempt({ userName: sent, hashedUser, password: 'p' }, { authData: { accounts: source } });
        assert.equal(result.status, SEC_E_OK);
        assert.equal(querySecurityContextToken(result.context!).value?.userName, userName);
      });
    }
    for (const [userName, sent] of [
      ['strasse', 'straße'],
      ['ilgaz', 'ılgaz'],
      ['sam', 'ſam'],
    ] as const) {
      it(`${sent} is not ${userName}`, () => {
        const source = memoryAccounts([{ userName, password: 'p' }]);
        for (const hashedUser of [userName.toUpperCase(), sent.toUpperCase(), sent]) {
          const result = attempt({ userName: sent, hashedUser, password: 'p' }, { authData: { accounts: source } });
          assert.equal(result.status, SEC_E_LOGON_DENIED);
        }
      });
    }
  });

  describe('C18: the service the client says it called', () => {
    const target = (pairs: ClientOptions['pairs']): string | undefined => {
      const result = attempt({ ...right, mic: false, pairs: pairs ?? [] });
      assert.equal(result.status, SEC_E_OK);
      return queryContextAttributes(result.context!, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET).value;
    };
    it('is told', () => assert.equal(target([[9, utf16('HTTP/other.test')]]), 'HTTP/other.test'));
    it('is empty where there is none', () => assert.equal(target([]), ''));
    for (const [names, pairs, status] of [
      [['HTTP/server.test'], [[9, 'HTTP/server.test']], SEC_E_OK],
      [['HTTP/server.test'], [[9, 'http/SERVER.test']], SEC_E_OK],
      [['HTTP/server.test'], [[9, 'HTTP/server.test:8080']], SEC_E_OK],
      [['HTTP/server.test@CORP.TEST'], [[9, 'HTTP/server.test']], SEC_E_OK],
      [['HTTP/other.test', 'HTTP/server.test'], [[9, 'HTTP/server.test']], SEC_E_OK],
      [['HTTP/server.test'], [[9, 'cifs/fileserver']], SEC_E_WRONG_PRINCIPAL],
      [['HTTP/server.test'], [[9, 'cifs/server.test']], SEC_E_WRONG_PRINCIPAL],
      [['HTTP/server.test'], [[9, 'HTTP/server.test.evil']], SEC_E_WRONG_PRINCIPAL],
      [['HTTP/server.test:443'], [[9, 'HTTP/server.test']], SEC_E_WRONG_PRINCIPAL],
      [['HTTP/server.test'], [], SEC_E_WRONG_PRINCIPAL],
      [['HTTP/server.test'], [[9, '']], SEC_E_WRONG_PRINCIPAL],
      [
        ['HTTP/server.test'],
        [
          [6, 4],
          [9, 'HTTP/server.test'],
        ],
        SEC_E_WRONG_PRINCIPAL,
      ],
    ] as const) {
      it(`C18: ${JSON.stringify(pairs)} where ${names.join(' or ')} is wanted: ${statusName(status)}`, () => {
        for (const mic of [false, true]) {
          // The client of these tests puts its own flags first where it makes a MIC.
          if (mic && pairs.some(([id]) => id === 6)) continue;
          const sent = pairs.map(([id, value]) => [id, typeof value === 'number' ? u32(value) : utf16(value)] as const);
          const client = { ...right, mic, pairs: sent };
          const result = attempt(client, { authData: { servicePrincipalNames: names } });
          assert.equal(result.status, status);
          const text = /the client (?:names no service \(MsvAvTargetName\), and|meant .+, which) servicePrincipalNames/;
          if (status !== SEC_E_OK) assert.match(result.diagnosis?.text ?? '', text);
          // A wrong password is a wrong password, whatever its client names.
          const wrong = attempt({ ...client, password: 'wrong' }, { authData: { servicePrincipalNames: names } });
          assert.equal(wrong.status, SEC_E_LOGON_DENIED);
        }
      });
    }
    it('C18: pszPrincipal is such a name, inside Negotiate as well', () => {
      const authData = { accounts, domain: 'Domain', computerName: 'Server', clock: clockAt(NOW) };
      for (const [owner, data] of [
        [ntlmPackage, authData],
        [negotiatePackage, { packages: [{ package: ntlmPackage, authData }] }],
      ] as const) {
        for (const [target, status] of [
          ['HTTP/server.test', SEC_E_OK],
          ['HTTP/other.test', SEC_E_WRONG_PRINCIPAL],
        ] as const) {
          const handle = acquireCredentialsHandle({
            ...{ package: owner, credentialUse: 'inbound', principal: 'HTTP/server.test', authData: data },
          });
          assert.ok(!(handle instanceof Promise));
          const begun = leg(handle, undefined, type1);
          const client = { ...right, mic: false, pairs: [[9, utf16(target)]] as const };
          const { message } = authenticateMessage(type1, tokenOf(begun), client);
          assert.equal(leg(handle, begun.context, message).status, status);
        }
      }
      assert.throws(
        () => acquireCredentialsHandle({ package: ntlmPackage, credentialUse: 'inbound', principal: 'x', authData }),
        { option: 'principal' },
      );
    });
    it('is empty where the client says it is not to be trusted', () =>
      assert.equal(
        target([
          [6, u32(4)],
          [9, utf16('HTTP/server.test')],
        ]),
        '',
      ));
  });
});
