/** Digest by four processes that share a store, behind proxies that send each request to another of them. */
import assert from 'node:assert/strict';
import type { Agent } from 'node:http';
import { after, describe, it } from 'node:test';
import { launchChromium } from '../../lab/chromium.ts';
import { curl } from '../../lab/curl.ts';
import { full } from '../../lab/matrix.ts';
import { startRedis } from '../../lab/redis.ts';
import { startNginx } from '../../lab/reverse-proxy.ts';
import { tier } from '../../lab/tier.ts';
import { balancers } from './balancers.ts';
import { ask, DigestUser, startFleet } from './fleet-process.ts';
import type { FleetAnswer } from './fleet-process.ts';

const ready = await tier('fleets');
const readyForBrowsers = await tier('browsers');
const redis = ready.skip === false ? await startRedis() : undefined;
after(() => redis?.[Symbol.asyncDispose]());

/** 100 requests of 20 users, or 1 000. */
const requestsOfEach = full() ? 50 : 5;

const user0 = ['--digest', '-u', 'user0:password-user0'];
const answersOf = (body: string): FleetAnswer[] =>
  body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as FleetAnswer);

for (const store of ['Redis', 'clusterStore'] as const) {
  describe(`Digest by four processes with ${store}, nginx with a connection for each request`, ready, async () => {
    if (ready.skip !== false) return;
    const fleet = await startFleet(store === 'Redis' ? (redis?.socket ?? '') : 'cluster', 'together');
    const nginx = await startNginx({ ports: fleet.ports, shared: 0 });
    after(async () => {
      await nginx[Symbol.asyncDispose]();
      await fleet[Symbol.asyncDispose]();
    });

    it('curl signs in at once, twelve times, in several processes', async () => {
      const urls = Array.from({ length: 12 }, (_, index) => `${nginx.origin}/page/${index}`);
      const { responses, body } = await curl([...user0, ...urls]);
      assert.deepEqual(
        responses.map(({ status }) => status),
        urls.flatMap(() => [401, 200]),
      );
      const answers = answersOf(body);
      assert.equal(
        answers.every(({ userName }) => userName === 'user0'),
        true,
      );
      assert.notEqual(new Set(answers.map(({ pid }) => pid)).size, 1);
      const wrong = await curl(['--digest', '-u', 'user0:wrong', `${nginx.origin}/`]);
      assert.deepEqual(
        wrong.responses.map(({ status }) => status),
        [401, 401],
      );
    });

    it('Chromium signs in, and its page loads', readyForBrowsers, async () => {
      await using chromium = await launchChromium();
      const alongside = Array.from({ length: 40 }, (_, index) => `/part/${index}`);
      const credentials = { username: 'user0', password: 'password-user0' };
      const visit = await chromium.visit(`${nginx.origin}/page`, { credentials, alongside });
      assert.equal(visit.status, 200);
      const answers = visit.alongside.map(({ status, body }) => {
        assert.equal(status, 200);
        return JSON.parse(body) as FleetAnswer;
      });
      assert.equal(
        answers.every(({ userName }) => userName === 'user0'),
        true,
      );
      assert.equal(new Set(answers.map(({ pid }) => pid)).size, 4);
    });

    it('E01: a recorded request is accepted once, in whichever process, at the same time and later', async () => {
      const [port = 0] = fleet.ports;
      const client = new DigestUser('user1');
      assert.equal((await client.get(port, '/')).status, 200);
      const recorded = { authorization: client.authorization('/secret') };
      const together = await Promise.all(Array.from({ length: 16 }, () => ask(port, '/secret', recorded)));
      const later = await Promise.all(Array.from({ length: 16 }, () => ask(port, '/secret', recorded)));
      const statuses = [...together, ...later].map(({ status }) => status);
      assert.equal(statuses.filter((status) => status === 200).length, 1);
      assert.equal(statuses.filter((status) => status === 401).length, 31);
    });
  });
}

describe('Many users through few connections to four processes', ready, async () => {
  if (ready.skip !== false) return;
  const fleet = await startFleet(redis?.socket ?? '', 'apart');
  after(() => fleet[Symbol.asyncDispose]());

  /** Requests of 20 users, each on a kept connection of its own to the front. @returns who was taken for whom */
  async function crossings(port: (turn: number) => number, agentOf: () => Agent): Promise<void> {
    const pids = new Set<number>();
    const agents: Agent[] = [];
    let turn = 0;
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const userName = `user${index}`;
        const [client, agent] = [new DigestUser(userName), agentOf()];
        agents.push(agent);
        for (let request = 0; request < requestsOfEach; request++) {
          const target = `/${userName}/${request}`;
          const { status, body } = await client.get(port(turn++), target, agent);
          assert.equal(status, 200, body);
          const answer = JSON.parse(body) as FleetAnswer;
          assert.deepEqual([answer.userName, answer.target], [userName, target]);
          pids.add(answer.pid);
        }
      }),
    );
    for (const agent of agents) agent.destroy();
    assert.equal(pids.size, 4);
  }

  for (const { name, start, agentOf } of balancers()) {
    it(`A11: behind ${name} with 4 shared connections, no identity crosses`, async () => {
      const proxy = await start({ ports: fleet.ports, shared: 4 });
      try {
        await crossings((turn) => proxy?.port ?? fleet.ports[turn % 4] ?? 0, agentOf);
      } finally {
        await proxy?.[Symbol.asyncDispose]();
      }
    });
  }
});
