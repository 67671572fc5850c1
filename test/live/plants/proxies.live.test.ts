/** Mistakes between client and server, with nginx in between. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startNginx, nginxPackages } from '../../lab/nginx.ts';
import { negotiateStatus, startRealm } from '../../lab/plants/realm.ts';
import type { Realm } from '../../lab/plants/realm.ts';
import { testPlants } from '../../lab/plants/plant.ts';
import { behind, serve } from '../../lab/plants/site.ts';
import { tier } from '../../lab/tier.ts';
import { proxyPlants } from './proxy-plants.ts';

const ready = await tier('kdc', [...nginxPackages, 'python3-requests']);

describe('mistakes between client and server', ready, () => {
  let realm: Realm;
  before(async () => {
    realm = await startRealm();
  });
  after(() => realm[Symbol.asyncDispose]());

  it('control: Kerberos comes through nginx, and nothing is complained of', async () => {
    const direct = await serve({ keytab: realm.kdc.keytab });
    const nginx = await startNginx(`location / { proxy_pass http://127.0.0.1:${direct.port}; }`);
    await using site = behind(direct, nginx.port, nginx);
    assert.equal(await negotiateStatus(site.url(), realm.alice), 200);
    assert.doesNotMatch(site.log.lines.join('\n'), /^(warn|error)/m);
  });
  testPlants(proxyPlants, () => realm);
});
