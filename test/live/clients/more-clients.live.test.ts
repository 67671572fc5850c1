/** Real clients that need half a gigabyte of packages, and Apache httpd beside them: in `npm run test:full` alone. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startApache } from '../../lab/clients/apache.ts';
import type { Apache } from '../../lab/clients/apache.ts';
import { ClientBuilds } from '../../lab/clients/builds.ts';
import { cellName, cellsOf, runAtApache } from '../../lab/clients/cells.ts';
import type { Cell } from '../../lab/clients/cells.ts';
import { realClients } from '../../lab/clients/clients.ts';
import { faultOf } from '../../lab/clients/expectations.ts';
import { startClientGround } from '../../lab/clients/ground.ts';
import type { ClientGround } from '../../lab/clients/ground.ts';
import { wrongVersions } from '../../lab/clients/versions.ts';
import { full } from '../../lab/matrix.ts';
import { tier } from '../../lab/tier.ts';
import { concurrency, testCells } from './cells.ts';

const clients = realClients.filter(({ core }) => !core);

if (full()) {
  // Faults of both files' clients are tried against Apache.
  const small = await tier('clients');
  const ready = await tier('more-clients');
  describe('more real clients', ready.skip ? ready : small, () => {
    const builds = new ClientBuilds();
    let ground: ClientGround;
    let apache: Apache;
    before(async () => {
      ground = await startClientGround();
      apache = await startApache(ground.kdc);
    });
    after(async () => {
      await apache[Symbol.asyncDispose]();
      await ground[Symbol.asyncDispose]();
      await builds[Symbol.asyncDispose]();
    });

    it('have the versions that docs/clients.md names', async () => {
      assert.deepEqual(await wrongVersions(clients), []);
    });

    for (const framework of ['express', 'fastify'] as const) {
      describe(`with ${framework}`, { concurrency }, () => {
        testCells(clients.flatMap(cellsOf), framework, () => ({ ground, builds }));
      });
    }

    describe('with Apache httpd', { concurrency }, () => {
      const cells = realClients.flatMap(cellsOf).filter(({ offer }) => offer === 'kerberos' || offer === 'digest-md5');
      const faulty = cells.filter((cell) => faultOf(cell)?.apache);
      const run = async (cell: Cell): Promise<string | undefined> =>
        (await runAtApache(cell, ground, apache, await builds.of(cell.client))).wrong;
      for (const cell of faulty) {
        it(`${cellName(cell)} is the fault of the client here too`, async () => {
          assert.notEqual(await run(cell), undefined);
        });
      }
      // Else Apache, or what is asked of it, might be what is wrong.
      const names = new Set(['curl', ...faulty.map(({ client }) => client.name)]);
      const sound = cells.filter((cell) => names.has(cell.client.name) && cell.situation === 'get' && !faultOf(cell));
      for (const cell of sound) {
        it(`${cellName(cell)} comes right`, async () => {
          assert.equal(await run(cell), undefined);
        });
      }
    });
  });
}
