/**
 * Redis that is stopped, slow, silent or empty, under 200 sign-ins a second by Digest at two servers that share it, with
 * each supported client. Every request is sent to both: at most one of them may take it.
 */
import assert from 'node:assert/strict';
import { Agent, createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { sspiAuth } from '../../../adapters/node.ts';
import { memoryAccounts, redisStore } from '../../../src/index.ts';
import type { RedisClient } from '../../../src/index.ts';
import { matrixRows } from '../../lab/matrix.ts';
import { listen } from '../../lab/ports.ts';
import { startRedis } from '../../lab/redis.ts';
import type { RedisServer } from '../../lab/redis.ts';
import { tier } from '../../lab/tier.ts';
import { ask, DigestUser } from './fleet-process.ts';

const ready = await tier('redis');

/** More at a time would be the load of a machine that cannot keep up. */
const MAX_UNDER_WAY = 100;

/** In front of Redis: what goes through it can be held up. */
async function strait(socketPath: string) {
  let delay = 0;
  let silent = false;
  const sockets = new Set<Socket>();
  const carry = (from: Socket, to: Socket): void => {
    let last = Promise.resolve();
    sockets.add(from);
    from.on('data', (data) => {
      if (silent) return;
      // In order, whatever the delay becomes meanwhile: this is TCP.
      const due = performance.now() + delay;
      last = last.then(async () => {
        await sleep(Math.max(0, due - performance.now()), undefined, { ref: false });
        to.write(data);
      });
    });
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    from.on('error', () => undefined);
  };
  const server = createServer((near) => {
    const far = connect(socketPath);
    carry(near, far);
    carry(far, near);
  });
  const listening = await listen(server);
  return {
    port: listening.port,
    /** Every answer comes later, by at least so many milliseconds. */
    slow: (milliseconds: number) => void (delay = milliseconds),
    /** Connections stay open, and nothing comes through: the other end is gone without a word. */
    silence: () => void (silent = true),
    /** New connections work again; the old ones stay dead. */
    speak: () => {
      for (const socket of sockets) socket.removeAllListeners('data');
      silent = false;
    },
    close: () => listening.close(),
  };
}

/** When a client had its connection again, last. */
let connectedAt = 0;
const noteConnection = (): void => void (connectedAt = performance.now());

/** Clients as docs/fleets.md has them, with the times of a test. */
const clients: readonly {
  readonly name: string;
  readonly connect: (port: number) => Promise<{ client: RedisClient; end: () => void }>;
}[] = [
  {
    name: 'redis',
    connect: async (port) => {
      const client = createClient({
        socket: { host: '127.0.0.1', port, reconnectStrategy: () => 100, connectTimeout: 500, socketTimeout: 1000 },
      });
      client.on('error', () => undefined);
      client.on('ready', noteConnection);
      await client.connect();
      return { client, end: () => client.destroy() };
    },
  },
  {
    name: 'ioredis',
    connect: (port) => {
      const client = new Redis({
        host: '127.0.0.1',
        port,
        connectTimeout: 500,
        socketTimeout: 500,
        retryStrategy: () => 100,
      });
      client.on('error', () => undefined);
      client.on('ready', noteConnection);
      return new Promise((resolve) => {
        client.once('ready', () => resolve({ client, end: () => client.disconnect() }));
      });
    },
  },
];

/** Two servers with a connection each to one store, under load. */
async function loaded(server: RedisServer, connectClient: (typeof clients)[number]['connect']) {
  const way = await strait(server.socket);
  const logs: readonly string[][] = [[], []];
  const servers = await Promise.all(
    logs.map(async (log) => {
      const { client, end } = await connectClient(way.port);
      const protect = sspiAuth({
        accounts: memoryAccounts([{ userName: 'user0', password: 'password-user0' }]),
        schemes: ['Digest'],
        digest: { secret: 'thirty-two bytes that all of them share' },
        store: redisStore(client),
        limits: { storeMilliseconds: 300 },
        logger: {
          info: (_, message) => {
            if (message.includes('the store')) log.push(message);
          },
          warn: (_, message) => {
            if (message.includes('the store')) log.push(message);
          },
          error: (_, message) => {
            log.push(message);
          },
        },
      });
      const listener = createHttpServer(protect((_, response) => void response.end('in')));
      // A connection that is closed because it was idle could meet its next request.
      listener.keepAliveTimeout = 300_000;
      const listening = await listen(listener);
      return { listening, end };
    }),
  );
  const [one = 0, two = 0] = servers.map(({ listening }) => listening.port);
  const seen: { readonly statuses: readonly number[]; readonly retryAfter: (string | undefined)[] }[] = [];
  const agent = new Agent({ keepAlive: true });
  let underWay = 0;
  let longest = 0;
  let running = true;
  const user = new DigestUser('user0');
  await user.get(one, '/');
  // Node accepts one connection in each turn of its event loop: those of the load are open before anything is measured.
  await Promise.all(
    Array.from({ length: MAX_UNDER_WAY }, () => Promise.all([one, two].map((port) => ask(port, '/', { agent })))),
  );
  const stalls = monitorEventLoopDelay();
  stalls.enable();
  const sent: Promise<void>[] = [];
  const send = (target: string): void => {
    const authorization = user.authorization(target);
    const began = performance.now();
    const both = Promise.all([one, two].map((port) => ask(port, target, { authorization, agent })));
    underWay++;
    const answered = both.then((answers) => {
      underWay--;
      longest = Math.max(longest, performance.now() - began);
      seen.push({
        statuses: answers.map(({ status }) => status),
        retryAfter: answers.map(({ retryAfter }) => retryAfter),
      });
    });
    // What fails is told by `stop`.
    answered.catch(() => undefined);
    sent.push(answered);
  };
  const load = (async () => {
    const begun = performance.now();
    for (let number = 0; running; await sleep(5)) {
      // Two requests every 10 ms; what a busy machine has missed is made up for as far as it can.
      for (; number < (performance.now() - begun) / 10; number++) {
        if (underWay < MAX_UNDER_WAY) send(`/${number}`);
      }
    }
  })();
  /** Waits until a request that begins now is answered so, and tells how long that took. */
  const until = async (status: number, port = two): Promise<number> => {
    const began = performance.now();
    const probe = new DigestUser('user0');
    while ((await probe.get(port, '/probe', agent)).status !== status) await sleep(20);
    return performance.now() - began;
  };
  /** Waits until both servers have said that the store is away and that it answers again. */
  const untilBack = async (): Promise<void> => {
    while (logs.some(({ length }) => length < 2 || length % 2 === 1)) {
      await until(200, one);
      await until(200, two);
      await sleep(20);
    }
  };
  const stop = async () => {
    running = false;
    await load;
    const failed = (await Promise.allSettled(sent)).find(({ status }) => status === 'rejected');
    agent.destroy();
    for (const { listening, end: disconnect } of servers) {
      disconnect();
      await listening.close();
    }
    await way.close();
    // Only now: what stays open would hold up the file.
    if (failed !== undefined) await Promise.all(sent);
    stalls.disable();
    return { seen, longest, longestStall: stalls.max / 1e6 };
  };
  let stopped: ReturnType<typeof stop> | undefined;
  const end = () => (stopped ??= stop());
  // Also where a test fails: what stays open would hold up the whole file.
  const dispose = async (): Promise<void> => {
    await end();
  };
  return { way, logs, until, untilBack, end, ports: [one, two] as const, [Symbol.asyncDispose]: dispose };
}

for (const { name, connect: connectClient } of matrixRows(clients, () => 'a client of Redis')) {
  describe(`Redis away, with ${name}`, ready, async () => {
    if (ready.skip !== false) return;
    const server = await startRedis();
    after(() => server[Symbol.asyncDispose]());

    for (const [what, begin, finish] of [
      ['stopped and started', () => server.stop(), () => server.start()],
      ['slow', (way) => way.slow(400), (way) => way.slow(0)],
      ['half-open', (way) => way.silence(), (way) => way.speak()],
    ] as readonly (readonly [
      string,
      (way: Awaited<ReturnType<typeof strait>>) => unknown,
      (way: Awaited<ReturnType<typeof strait>>) => unknown,
    ])[]) {
      it(`H13: ${what}: nobody is let in twice, nobody waits for ever, and all is well afterwards`, async (context) => {
        await using load = await loaded(server, connectClient);
        const { way, logs, until, untilBack, end } = load;
        await until(200);
        await begin(way);
        const noticed = await until(503);
        await sleep(1000);
        await finish(way);
        const began = performance.now();
        const back = await until(200);
        // Of a connection that was not lost it is no time.
        const connected =
          connectedAt > began ? `, ${Math.round(began + back - connectedAt)} ms after its connection` : '';
        await untilBack();
        const { seen, longest, longestStall } = await end();
        const all = seen.flatMap(({ statuses }) => statuses);
        const count = (status: number): number => all.filter((each) => each === status).length;
        context.diagnostic(
          `${seen.length} requests to two servers: 200 ${count(200)}, 401 ${count(401)}, 503 ${count(503)}; the longest ` +
            `${Math.round(longest)} ms, of the event loop's turns ${Math.round(longestStall)} ms; refused after ${Math.round(noticed)} ms, back after ${Math.round(back)} ms${connected}`,
        );
        assert.equal(count(200) + count(401) + count(503), all.length);
        for (const { statuses, retryAfter } of seen) {
          assert.equal(statuses.filter((status) => status === 200).length <= 1, true, 'let in twice');
          for (const [index, status] of statuses.entries())
            assert.equal(retryAfter[index] !== undefined, status === 503);
        }
        assert.equal(count(200) > 0 && count(503) > 0, true);
        // A machine that is busy itself may have shorter outages beside this one.
        for (const lines of logs) {
          lines.forEach((line, index) =>
            assert.match(
              line,
              index % 2 === 0 ? /^sspi-auth: the store is away/ : /^sspi-auth: the store answers again/,
            ),
          );
          assert.equal(lines.length >= 2 && lines.length < 20, true, lines.join('\n'));
        }
      });
    }

    it('H13: flushed: each server still refuses what it took itself', async () => {
      await using load = await loaded(server, connectClient);
      const [one, two] = load.ports;
      const user = new DigestUser('user0');
      /** A machine that is busy itself has outages of its own, whose answer is 503: then again. */
      const answer = async (port: number, authorization: string | undefined): Promise<number> => {
        for (;;) {
          const { status } = await ask(port, '/recorded', { authorization });
          if (status !== 503) return status;
        }
      };
      let recorded: string | undefined;
      do {
        await user.get(one, '/');
        recorded = user.authorization('/recorded');
      } while ((await ask(one, '/recorded', { authorization: recorded })).status !== 200);
      assert.equal(await answer(two, recorded), 401);
      await server.command('flushall');
      assert.equal(await answer(one, recorded), 401);
      assert.equal(await answer(two, recorded), 401, 'it had seen it, too');
    });
  });
}
