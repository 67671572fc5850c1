/** Mistakes of account sources and of the application. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { curl } from '../../lab/curl.ts';
import { plantAccounts } from '../../lab/plants/accounts.ts';
import { startRealm } from '../../lab/plants/realm.ts';
import type { Realm } from '../../lab/plants/realm.ts';
import { testPlants } from '../../lab/plants/plant.ts';
import { serve } from '../../lab/plants/site.ts';
import { tier } from '../../lab/tier.ts';
import { accountPlants } from './account-plants.ts';
import { applicationPlants } from './application-plants.ts';

const ready = await tier('kdc', ['wget']);

describe('mistakes of accounts and applications', ready, () => {
  let realm: Realm;
  before(async () => {
    realm = await startRealm();
    // The client of this ground has a ticket.
    Object.assign(process.env, realm.alice);
  });
  after(() => realm[Symbol.asyncDispose]());

  it('control: without a mistake alice signs in, and nothing is complained of', async () => {
    await using site = await serve({ accounts: plantAccounts, schemes: ['NTLM'] });
    assert.equal((await curl(['--ntlm', '-u', 'CORP\\alice:Wonderland-7', site.url()])).status, 200);
    assert.doesNotMatch(site.log.lines.join('\n'), /^(warn|error)/m);
  });
  testPlants([...accountPlants, ...applicationPlants], () => realm);
});
