/** Sessions of four processes: behind proxies that share connections, with sign-outs, many groups, and new secrets. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import { after, describe, it } from 'node:test';
import { forgedTokens, signIn } from '../../adapters/raw-clients.ts';
import { full, matrixRows } from '../../lab/matrix.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import { startRedis } from '../../lab/redis.ts';
import { tier } from '../../lab/tier.ts';
import { balancers } from './balancers.ts';
import { ask, SessionUser, startFleet } from './fleet-process.ts';
import type { Answered, Fleet, FleetAnswer } from './fleet-process.ts';

const ready = await tier('fleets');
const redis = ready.skip === false ? await startRedis() : undefined;
after(() => redis?.[Symbol.asyncDispose]());

/** 100 requests of 20 users, or 1 000. */
const requestsOfEach = full() ? 50 : 5;
const newSecret = (): string => randomBytes(32).toString('base64');
const cookie = { secure: false, name: 'sid' };
const answerOf = ({ body }: Pick<Answered, 'body'>): FleetAnswer => JSON.parse(body) as FleetAnswer;
const users = (): SessionUser[] => Array.from({ length: 20 }, (_, index) => new SessionUser(`user${index}`));

for (const store of matrixRows(['Redis', 'clusterStore'], () => 'store')) {
  describe(`sessions of four processes with ${store}`, ready, async () => {
    if (ready.skip !== false) return;
    const secret = newSecret();
    const session = { secrets: [secret], cookie, revocationCheckMilliseconds: 500 };
    const fleet = await startFleet(store === 'Redis' ? (redis?.socket ?? '') : 'cluster', 'apart', session);
    after(() => fleet[Symbol.asyncDispose]());
    const [first = 0] = fleet.ports;

    /** Each user on a kept connection of his own to the front, signed in once. */
    async function crossings(port: (turn: number) => number, agentOf: () => Agent): Promise<void> {
      const pids = new Set<number>();
      const agents: Agent[] = [];
      let turn = 0;
      await Promise.all(
        users().map(async (user) => {
          const agent = agentOf();
          agents.push(agent);
          for (let request = 0; request < requestsOfEach; request++) {
            const target = `/${user.userName}/${request}`;
            const answered = await user.get(port(turn++), target, agent);
            assert.equal(answered.status, 200, answered.body);
            const answer = answerOf(answered);
            assert.deepEqual([answer.userName, answer.target], [user.userName, target]);
            pids.add(answer.pid);
          }
          assert.equal(user.signIns, 1, user.userName);
        }),
      );
      for (const agent of agents) agent.destroy();
      assert.equal(pids.size, 4);
    }

    for (const { name, start, agentOf } of balancers()) {
      it(`A11: behind ${name} with 4 shared connections, each signs in once and no identity crosses`, async () => {
        const proxy = await start({ ports: fleet.ports, shared: 4 });
        try {
          await crossings((turn) => proxy?.port ?? fleet.ports[turn % 4] ?? 0, agentOf);
        } finally {
          await proxy?.[Symbol.asyncDispose]();
        }
      });
    }

    it('H05: a sign-out at one process ends the session at the others', async (context) => {
      const user = new SessionUser('user3');
      assert.equal((await user.get(first, '/')).status, 200);
      const { cookie: kept } = user;
      const standing = await Promise.all(
        fleet.ports.map(async (port) => {
          const agent = new Agent({ keepAlive: true, maxSockets: 1 });
          assert.equal((await ask(port, '/', { cookie: kept, agent })).status, 200);
          return { port, agent };
        }),
      );
      const out = await ask(first, '/sign-out', { method: 'POST', cookie: kept });
      assert.deepEqual([out.status, answerOf(out).told], [200, true]);
      const began = performance.now();
      assert.equal((await ask(first, '/', { cookie: kept, agent: standing[0]?.agent })).status, 401);
      const ended = await Promise.all(
        standing.map(async ({ port, agent }) => {
          while ((await ask(port, '/', { cookie: kept, agent })).status === 200);
          assert.equal((await ask(port, '/', { cookie: kept })).status, 401);
          agent.destroy();
          return Math.round(performance.now() - began);
        }),
      );
      context.diagnostic(`of 500 ms that it may take, it took ${ended.join(', ')} ms`);
    });

    it('a user of many groups has them all at every process', async () => {
      const user = new SessionUser('many');
      for (const port of fleet.ports) assert.equal(answerOf(await user.get(port, '/')).groups, 400);
      assert.equal(user.signIns, 1);
      const { cookie: kept = '' } = user;
      assert.equal(kept.length > 0 && kept.length < 1000, true);
      if (store !== 'Redis') return;
      // A store that has forgotten them: he signs in again, and is at no time a user without groups.
      await redis?.command('flushall');
      assert.equal((await ask(fleet.ports[1] ?? 0, '/', { cookie: kept })).status, 401);
      assert.equal(answerOf(await user.get(fleet.ports[2] ?? 0, '/')).groups, 400);
      assert.equal(user.signIns, 2);
    });

    it('new secrets, process by process under load: nobody signs in again', async () => {
      const next = newSecret();
      await renewed(fleet, [[secret, next], [next, secret], [next]]);
    });

    if (store !== 'Redis' || !full()) return;
    it('H13: the store away: sessions are refused after the stated time, sign-ins go on', async () => {
      const user = new SessionUser('user4');
      assert.equal((await user.get(first, '/')).status, 200);
      const { cookie: kept } = user;
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      assert.equal((await ask(first, '/', { cookie: kept, agent })).status, 200);
      await redis?.stop();
      while ((await ask(first, '/', { cookie: kept, agent })).status === 200);
      const refused = await ask(first, '/', { cookie: kept });
      // It may be right, so that it is not cleared.
      assert.deepEqual([refused.status, refused.cookies], [401, []]);
      await using connection = await RawConnection.open(first);
      const tokens = forgedTokens({ userName: 'user4', password: 'password-user4' });
      assert.equal(answerOf(await signIn(connection, tokens)).userName, 'user4');
      assert.equal(answerOf(await connection.exchange({})).userName, 'user4');
      await redis?.start();
      while ((await ask(first, '/', { cookie: kept, agent })).status !== 200);
      agent.destroy();
    });
  });
}

/** Gives every process the secrets of each step, one after the other, while 20 users go from one to the next. */
async function renewed(fleet: Fleet, steps: readonly (readonly string[])[]): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const all = users();
  let running = true;
  let requests = 0;
  let awaited: { readonly count: number; readonly reached: () => void } | undefined;
  const load = Promise.all(
    all.map(async (user) => {
      while (running) {
        const answered = await user.get(fleet.ports[requests++ % 4] ?? 0, '/', agent);
        assert.deepEqual([answered.status, answerOf(answered).userName], [200, user.userName]);
        if (awaited !== undefined && requests >= awaited.count) awaited.reached();
      }
    }),
  );
  /** Until each user has been everywhere, or a few times. */
  const wander = (): Promise<unknown> => {
    const reached = new Promise<void>((resolve) => {
      awaited = { count: requests + (full() ? 400 : 40), reached: resolve };
    });
    return Promise.race([reached, load]);
  };
  await wander();
  for (const secrets of steps) {
    for (const index of fleet.ports.keys()) {
      await fleet.renew(index, secrets);
      await wander();
    }
  }
  running = false;
  await load;
  agent.destroy();
  assert.deepEqual(
    all.map(({ signIns }) => signIns),
    all.map(() => 1),
  );
}
