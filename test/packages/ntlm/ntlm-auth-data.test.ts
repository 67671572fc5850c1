/** What a credential of NTLM is made from: an option that cannot be used is refused by its name. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OptionError } from '../../../src/foundation/errors.ts';
import { filetimeOf } from '../../../src/formats/filetime.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/ntlm-package.ts';
import {
  acquireCredentialsHandle,
  SEC_E_INTERNAL_ERROR,
  SEC_E_LOGON_DENIED,
  SEC_E_OK,
  SEC_I_CONTINUE_NEEDED,
} from '../../../src/sspi/index.ts';
import { attempt, right, type1 } from './deviating-client.ts';
import { authenticateMessage } from './ntlm-client.ts';
import { accounts, credential, leg, NOW, tokenOf } from './ntlm-server.ts';

describe('NTLM attacks', () => {
  describe('options', () => {
    const bad: Readonly<Record<string, Record<string, unknown>>> = {
      accounts: { accounts: undefined },
      'accounts null': { accounts: null },
      'accounts without verifyNtlm': { accounts: { description: 'of passwords' } },
      domain: { domain: '' },
      'domain too long': { domain: 'x'.repeat(16) },
      'domain with a control character': { domain: 'a\n' },
      'domain with DEL': { domain: 'a\u007f' },
      'domain with a control character of C1': { domain: 'a\u009f' },
      'domain with a backslash': { domain: 'a\\b' },
      'domain with a slash': { domain: 'a/b' },
      'domain with half a surrogate pair': { domain: '\ud800' },
      computerName: { computerName: undefined },
      'computerName too long': { computerName: 'x'.repeat(16) },
      dnsDomain: { dnsDomain: 7 },
      'dnsDomain too long': { dnsDomain: 'x'.repeat(256) },
      'dnsComputerName too long': { dnsComputerName: 'x'.repeat(256) },
      clock: { clock: {} },
      'clock null': { clock: null },
      'clock without elapsed': { clock: { now: () => 0 } },
      'clock without now': { clock: { elapsed: () => 0 } },
      random: { random: 'x' },
      maxLifetimeMilliseconds: { maxLifetimeMilliseconds: 0 },
      'maxLifetimeMilliseconds with a fraction': { maxLifetimeMilliseconds: 1.5 },
      'maxLifetimeMilliseconds as text': { maxLifetimeMilliseconds: '1' },
      requireMic: { requireMic: 'yes' },
      servicePrincipalNames: { servicePrincipalNames: [] },
      'servicePrincipalNames[0]': { servicePrincipalNames: ['web'] },
      // Ignored, it would take answers that were meant for other services.
      servicePrincipalName: { servicePrincipalName: ['HTTP/web'] },
      require128: { require128: 1 },
      // Ignored, it would let in clients that are to be refused.
      requiremic: { requiremic: true },
      acounts: { acounts: accounts },
    };
    for (const [name, authData] of Object.entries(bad)) {
      it(`${name} is refused by name`, () => {
        const option = `authData.${name.split(' ')[0] ?? ''}`;
        assert.throws(
          () => credential(authData),
          (error) => error instanceof OptionError && error.option === option,
        );
      });
    }

    it('the longest names there can be, and the shortest lifetime, are taken', () => {
      const [netbios, dns] = ['x'.repeat(15), 'x'.repeat(255)];
      const names = { domain: netbios, computerName: netbios, dnsDomain: dns, dnsComputerName: dns };
      const handle = credential({ ...names, maxLifetimeMilliseconds: 1 });
      assert.equal(leg(handle, undefined, type1).status, SEC_I_CONTINUE_NEEDED);
    });

    for (const authData of [undefined, null, 'text']) {
      it(`authData that is ${JSON.stringify(authData) ?? 'missing'} is refused by name`, () => {
        assert.throws(
          () => acquireCredentialsHandle({ package: ntlmPackage, credentialUse: 'inbound', authData }),
          (error) => error instanceof OptionError && error.option === 'authData',
        );
      });
    }

    it('without a clock and a random source those of the machine are used', () => {
      const authData = { accounts, domain: 'Domain', computerName: 'Server' };
      const handle = acquireCredentialsHandle({ package: ntlmPackage, credentialUse: 'inbound', authData });
      assert.ok(!(handle instanceof Promise));
      const first = leg(handle, undefined, type1);
      const { message } = authenticateMessage(type1, tokenOf(first), right);
      assert.equal(leg(handle, first.context, message).status, SEC_E_OK);
    });

    it('C24: a shorter lifetime than the default holds to the interval', () => {
      const authData = { maxLifetimeMilliseconds: 1000 };
      assert.equal(attempt({ ...right, timestamp: filetimeOf(NOW - 1000) }, { authData }).status, SEC_E_OK);
      const late = { ...right, timestamp: filetimeOf(NOW - 1000) - 1n };
      assert.equal(attempt(late, { authData }).status, SEC_E_LOGON_DENIED);
    });

    it('C27: a random source that gives too few bytes makes no challenge', () => {
      for (const size of [0, 7, 9]) {
        const { status, output } = leg(credential({ random: () => new Uint8Array(size) }), undefined, type1);
        assert.equal(status, SEC_E_INTERNAL_ERROR);
        assert.deepEqual(output, []);
      }
    });

    it('C27: a random source may use its buffer again', () => {
      const buffer = new Uint8Array(8);
      const handle = credential({ random: () => buffer.fill(buffer[0]! + 1) });
      const [one] = [leg(handle, undefined, type1), leg(handle, undefined, type1)];
      const { message } = authenticateMessage(type1, tokenOf(one), right);
      assert.equal(leg(handle, one.context, message).status, SEC_E_OK);
    });
  });
});
