/** Real clients whose packages are small; the others are in more-clients.live.test.ts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ClientBuilds } from '../../lab/clients/builds.ts';
import { cellsOf, kindOf } from '../../lab/clients/cells.ts';
import { realClients } from '../../lab/clients/clients.ts';
import { startClientGround } from '../../lab/clients/ground.ts';
import type { ClientGround } from '../../lab/clients/ground.ts';
import { wrongVersions } from '../../lab/clients/versions.ts';
import { full, matrixRows } from '../../lab/matrix.ts';
import { tier } from '../../lab/tier.ts';
import { concurrency, testCells } from './cells.ts';

const ready = await tier('clients');
const clients = realClients.filter(({ core }) => core);
const cells = matrixRows(clients.flatMap(cellsOf), kindOf);

describe('real clients', ready, () => {
  const builds = new ClientBuilds();
  let ground: ClientGround;
  before(async () => {
    ground = await startClientGround();
  });
  after(async () => {
    await ground[Symbol.asyncDispose]();
    await builds[Symbol.asyncDispose]();
  });

  it('have the versions that docs/clients.md names', async () => {
    assert.deepEqual(await wrongVersions(clients), []);
  });

  for (const framework of full() ? (['express', 'fastify'] as const) : (['express'] as const)) {
    describe(`with ${framework}`, { concurrency }, () => {
      testCells(cells, framework, () => ({ ground, builds }));
    });
  }
});
