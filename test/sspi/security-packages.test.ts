/** The security packages of a process: those of the machine, which the public face finds by their names. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as Sspi from '../../src/contract.ts';
import { memoryAccounts } from '../../src/index.ts';
import { ScriptedPackage } from '../authenticator/scripted-package.ts';

const names = (): readonly string[] => Sspi.enumerateSecurityPackages().map(({ name }) => name);

describe('security packages', () => {
  it('are those of the machine, by name', () => {
    for (const name of ['NTLM', 'Digest', 'Negotiate', 'Kerberos']) {
      assert.ok(names().includes(name), name);
      assert.equal(Sspi.querySecurityPackageInfo(name.toUpperCase()).name, name);
    }
  });

  it('are looked for once, when the first is asked for', () => {
    let looked = 0;
    const found = new ScriptedPackage({}, 'Found');
    Sspi.addSecurityPackages(() => {
      looked++;
      return [found];
    });
    assert.equal(looked, 0);
    assert.equal(Sspi.querySecurityPackageInfo('found'), found.info);
    assert.ok(names().includes('Found'));
    assert.equal(looked, 1);
  });

  it('are looked for again where they could not be had', () => {
    let broken = true;
    Sspi.addSecurityPackages(() => {
      if (broken) throw new Error('no library');
      return [new ScriptedPackage({}, 'Late')];
    });
    assert.throws(() => Sspi.querySecurityPackageInfo('Late'), /no library/);
    broken = false;
    assert.equal(Sspi.querySecurityPackageInfo('Late').name, 'Late');
  });

  it('may be looked for by one that looks packages up itself: it sees those before it', () => {
    const seen: string[] = [];
    Sspi.addSecurityPackages(() => {
      seen.push(...names());
      Sspi.addSecurityPackages(() => [new ScriptedPackage({}, 'Of the next source')]);
      return [new ScriptedPackage({}, 'Nested')];
    });
    assert.equal(Sspi.querySecurityPackageInfo('Nested').name, 'Nested');
    assert.ok(seen.includes('Digest') && !seen.includes('Nested'));
    assert.ok(names().includes('Of the next source'));
  });

  it('of this library give for credentialUse `both` what they give for `inbound`: they have no client side', () => {
    const accounts = memoryAccounts([{ userName: 'alice', password: 'p' }]);
    const names = { domain: 'LAB', computerName: 'WEB', realm: 'LAB' };
    for (const [name, authData] of [
      ['NTLM', { accounts, domain: names.domain, computerName: names.computerName }],
      ['Digest', { accounts, domain: names.domain, realm: names.realm }],
    ] as const) {
      for (const credentialUse of ['inbound', 'both'] as const) {
        const credential = Sspi.acquireCredentialsHandle({ package: name, credentialUse, authData });
        assert.ok(credential instanceof Sspi.CredentialHandle);
        assert.equal(Sspi.freeCredentialsHandle(credential), Sspi.SEC_E_OK);
      }
    }
  });

  it('that come later stand in for those of the same name: Windows has its own', () => {
    const windows = new ScriptedPackage({}, 'ntlm');
    const ours = Sspi.querySecurityPackageInfo('NTLM');
    Sspi.addSecurityPackages(() => [windows]);
    assert.equal(Sspi.querySecurityPackageInfo('NTLM'), windows.info);
    assert.notEqual(ours, windows.info);
  });
});
