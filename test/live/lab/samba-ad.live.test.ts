import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runChecked } from '../../lab/process.ts';
import { canMakeNamespaces, startSambaAd } from '../../lab/samba-ad.ts';
import { tier } from '../../lab/tier.ts';

describe('the Samba domain of the test ground', await tier('samba-ad', [], canMakeNamespaces), () => {
  it('gives tickets its keytab decrypts, and verifies passwords on the controller and on a member', async () => {
    await using domain = await startSambaAd();
    const env = await domain.signIn('alice', ['HTTP/localhost']);
    // Outside the private network: the cache holds all that a client needs.
    assert.match(await runChecked('klist', [], { env }), /HTTP\/localhost@CORP\.EXAMPLE\.TEST/);
    await domain.namespace.runChecked('kvno', ['-k', domain.keytab, 'HTTP/localhost'], { env });
    await assert.rejects(domain.signIn('dave'), /kinit/);

    await using member = await domain.joinMember();
    for (const { namespace } of [domain, member]) {
      const logon = async (user: string, password: string): Promise<number | null> =>
        (await namespace.run('ntlm_auth', ['--username', user, '--domain', 'CORP', '--password', password])).code;
      assert.equal(await logon('alice', domain.passwords.alice), 0);
      assert.notEqual(await logon('alice', 'wrong'), 0);
      assert.notEqual(await logon('dave', domain.passwords.dave), 0);
    }
  });
});
