import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startKdc } from '../../lab/kdc.ts';
import { runChecked } from '../../lab/process.ts';
import { tier } from '../../lab/tier.ts';

describe('the KDC of the test ground', await tier('kdc'), () => {
  it('gives a service ticket that the keytab decrypts', async () => {
    await using kdc = await startKdc();
    const env = await kdc.signIn('alice');
    assert.match(await runChecked('kvno', ['-k', kdc.keytab, 'HTTP/localhost'], { env }), /keytab entry valid/);
    assert.match(await runChecked('klist', [], { env }), /alice@TEST\.LOCAL/);
  });

  it('refuses a wrong password', async () => {
    await using kdc = await startKdc({ realm: 'OTHER.TEST', users: { carol: 'right' } });
    await kdc.administer(['cpw -pw changed carol']);
    await assert.rejects(kdc.signIn('carol'), /kinit/);
  });
});
