/** Chromium signs in: NTLM and Digest, through every adapter; in `npm test` the whole list through one of them. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { adapters } from '../../adapters/servers.ts';
import type { Answer, RunningServer, ScenarioOptions } from '../../adapters/servers.ts';
import { launchChromium } from '../../lab/chromium.ts';
import type { Chromium } from '../../lab/chromium.ts';
import { matrixRows } from '../../lab/matrix.ts';
import { tier } from '../../lab/tier.ts';
import { accounts, assertNothingLeft, domain, users } from './clients.ts';

const ready = await tier('browsers');

describe('Chromium', ready, () => {
  let chromium: Chromium;
  before(async () => {
    chromium = await launchChromium();
  });
  after(async () => chromium.close());

  const credentials = { username: 'alice', password: users['alice']! };
  const targets = Array.from({ length: 60 }, (_, index) => `/part/${index}?n=${index}`);

  const whole = new Set(matrixRows(Object.keys(adapters), () => 'an adapter'));
  for (const [adapter, start] of Object.entries(adapters)) {
    const serve = async (options: ScenarioOptions): Promise<RunningServer> => start({ accounts, domain, ...options });
    for (const scheme of whole.has(adapter) ? (['NTLM', 'Digest'] as const) : (['NTLM'] as const)) {
      it(`${adapter}, ${scheme}: the right password, and many requests at once, all of the same user`, async () => {
        await using server = await serve({ schemes: [scheme] });
        const connections = new Set<unknown>();
        server.server.on('connection', (socket) => connections.add(socket));
        const visit = await chromium.visit(`http://localhost:${server.port}/page`, { credentials, alongside: targets });
        assert.equal(visit.status, 200);
        const { name, package: packageName, scheme: spoken } = JSON.parse(visit.body) as Answer;
        assert.deepEqual([name, packageName, spoken], [`${domain}\\alice`, scheme, scheme]);
        assert.equal(visit.alongside.length, targets.length);
        for (const { status, body } of visit.alongside) {
          assert.equal(status, 200);
          assert.equal((JSON.parse(body) as Answer).name, `${domain}\\alice`);
        }
        assert.ok(connections.size > 1, `${connections.size} connections signed in, each for itself`);
      });

      it(`${adapter}, ${scheme}: a wrong password, and an unknown user`, async () => {
        await using server = await serve({ schemes: [scheme] });
        for (const wrong of [
          { username: 'alice', password: 'wrong' },
          { username: 'mallory', password: users['alice']! },
        ]) {
          const visit = await chromium.visit(`http://localhost:${server.port}/`, { credentials: wrong });
          assert.equal(visit.status, 401);
          assert.match(visit.body, /^<!doctype html>\n[^]*<h1>401 Unauthorized<\/h1>\n<\/html>\n$/);
        }
        assert.equal(server.handled(), 0);
        server.server.closeAllConnections();
        await assertNothingLeft(server);
      });
    }

    if (!whole.has(adapter)) continue;

    it(`${adapter}: an upload on a connection that has to sign in first arrives whole`, async () => {
      await using server = await serve({ schemes: ['NTLM'] });
      const statuses: number[] = [];
      server.server.prependListener('request', ({ url }: IncomingMessage, response: ServerResponse) => {
        response.on('finish', () => {
          if (url === '/last') server.server.closeAllConnections();
          if (url === '/upload') statuses.push(response.statusCode);
        });
      });
      const upload = { target: '/upload', bytes: 8 * 1024 * 1024 };
      const visit = await chromium.visit(`http://localhost:${server.port}/`, { credentials, then: ['/last'], upload });
      assert.equal(visit.status, 200);
      const { name, bodyBytes } = JSON.parse(visit.body) as Answer;
      assert.deepEqual([name, bodyBytes], [`${domain}\\alice`, upload.bytes]);
      assert.deepEqual(statuses.slice(-2), [401, 200], 'the leg before was a challenge');
    });

    it(`${adapter}: of both schemes it chooses NTLM, and bob is bob`, async () => {
      await using server = await serve({});
      const bob = { username: `${domain}\\bob`, password: users['bob']! };
      const visit = await chromium.visit(`http://localhost:${server.port}/`, { credentials: bob, then: ['/next'] });
      const { name, scheme } = JSON.parse(visit.body) as Answer;
      assert.deepEqual([name, scheme], [`${domain}\\bob`, 'NTLM']);
    });
  }
});
