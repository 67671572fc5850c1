/** Mistakes that show in a browser, with Chromium. */
import { after, before, describe } from 'node:test';
import { startRealm } from '../../lab/plants/realm.ts';
import type { Realm } from '../../lab/plants/realm.ts';
import { testPlants } from '../../lab/plants/plant.ts';
import { tier } from '../../lab/tier.ts';
import { browserPlants } from './browser-plants.ts';

const browserReady = await tier('browsers');
const kdcReady = await tier('kdc');

describe('mistakes that show in a browser', browserReady.skip === false ? kdcReady : browserReady, () => {
  let realm: Realm;
  before(async () => {
    realm = await startRealm();
  });
  after(() => realm[Symbol.asyncDispose]());
  testPlants(browserPlants, () => realm);
});
