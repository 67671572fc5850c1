/** The security packages of a process: those of the machine, which the public face finds by their names. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as Sspi from '../../src/contract.ts';
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

  it('that come later stand in for those of the same name: Windows has its own', () => {
    const windows = new ScriptedPackage({}, 'ntlm');
    const ours = Sspi.querySecurityPackageInfo('NTLM');
    Sspi.addSecurityPackages(() => [windows]);
    assert.equal(Sspi.querySecurityPackageInfo('NTLM'), windows.info);
    assert.notEqual(ours, windows.info);
  });
});
