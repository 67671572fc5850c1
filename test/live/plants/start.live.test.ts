/** Mistakes at start: the error names cause and cure. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { negotiateStatus, startRealm } from '../../lab/plants/realm.ts';
import type { Realm } from '../../lab/plants/realm.ts';
import { testPlants } from '../../lab/plants/plant.ts';
import { serve } from '../../lab/plants/site.ts';
import { tier } from '../../lab/tier.ts';
import { startPlants } from './start-plants.ts';

const ready = await tier('kdc', ['samba-common-bin', 'libgssapi3-heimdal']);

describe('mistakes at start', ready, () => {
  let realm: Realm;
  before(async () => {
    realm = await startRealm();
  });
  after(() => realm[Symbol.asyncDispose]());

  it('control: without a mistake it starts', async () => {
    await using site = await serve({ keytab: realm.kdc.keytab });
    assert.equal(await negotiateStatus(site.url(), realm.alice), 200);
    assert.doesNotMatch(site.log.lines.join('\n'), /^(warn|error)/m);
  });
  testPlants(startPlants, () => realm);
});
