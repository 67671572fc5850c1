/** Mistakes around Kerberos, driven by clients of MIT krb5. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { negotiateStatus, startRealm } from '../../lab/plants/realm.ts';
import type { Realm } from '../../lab/plants/realm.ts';
import { testPlants } from '../../lab/plants/plant.ts';
import { serve } from '../../lab/plants/site.ts';
import { tier } from '../../lab/tier.ts';
import { clockPlants } from './clock-plants.ts';
import { mitKdcPlants } from './mit-kdc-plants.ts';
import { unansweredPlants } from './unanswered-plants.ts';

const ready = await tier('kdc', ['faketime', 'gss-ntlmssp', 'python3-requests-kerberos']);

describe('mistakes with an MIT KDC', ready, () => {
  let realm: Realm;
  before(async () => {
    realm = await startRealm();
  });
  after(() => realm[Symbol.asyncDispose]());

  it('control: without a mistake alice signs in, and nothing is complained of', async () => {
    await using site = await serve({ keytab: realm.kdc.keytab });
    assert.equal(await negotiateStatus(site.url(), realm.alice), 200);
    assert.doesNotMatch(site.log.lines.join('\n'), /^(warn|error)/m);
  });
  testPlants([...mitKdcPlants, ...clockPlants, ...unansweredPlants], () => realm);
});
