/** Mistakes in a directory of Samba's. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { negotiateStatus } from '../../lab/plants/realm.ts';
import { testPlants } from '../../lab/plants/plant.ts';
import { serve } from '../../lab/plants/site.ts';
import { canMakeNamespaces, startSambaAd } from '../../lab/samba-ad.ts';
import type { SambaDomain } from '../../lab/samba-ad.ts';
import { tier } from '../../lab/tier.ts';
import { directoryPlants } from './directory-plants.ts';

describe('mistakes in the directory', await tier('samba-ad', [], canMakeNamespaces), () => {
  let domain: SambaDomain;
  before(async () => {
    domain = await startSambaAd();
    Object.assign(process.env, domain.env);
  });
  after(() => domain.stop());

  it('control: without a mistake alice signs in, and nothing is complained of', async () => {
    await using site = await serve({ keytab: domain.keytab });
    assert.equal(await negotiateStatus(site.url(), await domain.signIn('alice', ['HTTP/localhost'])), 200);
    assert.doesNotMatch(site.log.lines.join('\n'), /^(warn|error)/m);
  });
  testPlants(directoryPlants, () => domain);
});
