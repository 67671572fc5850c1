/** A token that curl sent, sent again to another server over HTTP: the two share a store in Redis. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { sspiAuth } from '../../../adapters/node.ts';
import { redisStore } from '../../../src/index.ts';
import type { SharedStore } from '../../../src/index.ts';
import { curl } from '../../lab/curl.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { listen } from '../../lab/ports.ts';
import type { ListeningServer } from '../../lab/ports.ts';
import { startRedis } from '../../lab/redis.ts';
import type { RedisServer } from '../../lab/redis.ts';
import { tier } from '../../lab/tier.ts';

const kdcReady = await tier('kdc');
const redisReady = await tier('redis');
const ready = kdcReady.skip === false ? redisReady : kdcReady;

describe('a token at two servers over HTTP', ready, () => {
  let kdc: Kdc;
  let redis: RedisServer;
  let env: Readonly<Record<string, string>>;
  before(async () => {
    [kdc, redis] = await Promise.all([startKdc(), startRedis()]);
    env = await kdc.signIn('alice');
  });
  after(async () => {
    await redis[Symbol.asyncDispose]();
    await kdc.stop();
  });

  /** A server that keeps the credentials that it was sent. */
  async function serve(memory: {
    readonly store?: SharedStore;
    readonly replayCache?: string;
  }): Promise<{ readonly server: ListeningServer; readonly sent: string[] }> {
    const sent: string[] = [];
    const protect = sspiAuth({ keytab: kdc.keytab, provider: 'portable', logger: false, ...memory });
    const listener = protect((request, response) => response.end(request.user?.userName));
    const server = await listen(
      createServer((request, response) => {
        const { authorization } = request.headers;
        if (authorization !== undefined) sent.push(authorization);
        listener(request, response);
      }),
    );
    return { server, sent };
  }

  const signIn = (server: ListeningServer): ReturnType<typeof curl> =>
    curl(['--negotiate', '-u', ':', `http://localhost:${server.port}/`], { env });
  const replay = async (server: ListeningServer, credentials: string): Promise<number> =>
    (await curl(['-H', `Authorization: ${credentials}`, server.origin])).status;

  it('D25: is accepted once by both, also after the store has forgotten it: by the one that took it', async () => {
    const clients = [new Redis({ path: redis.socket }), new Redis({ path: redis.socket })] as const;
    try {
      const one = await serve({ store: redisStore(clients[0]) });
      const other = await serve({ store: redisStore(clients[1]) });
      await using first = one.server;
      await using second = other.server;
      assert.equal((await signIn(first)).body, 'alice');
      const [token = ''] = one.sent;
      assert.match(token, /^Negotiate YI/);
      assert.deepEqual([await replay(second, token), await replay(first, token)], [401, 401]);
      assert.equal((await signIn(second)).body, 'alice');
      assert.equal(await replay(first, other.sent.at(-1) ?? ''), 401);
      await redis.command('flushall');
      assert.equal(await replay(first, token), 401);
    } finally {
      for (const client of clients) client.disconnect();
    }
  });

  it('D25: would be accepted by servers that share nothing', async () => {
    const one = await serve({ replayCache: kdc.file('one') });
    const other = await serve({ replayCache: kdc.file('other') });
    await using first = one.server;
    await using second = other.server;
    assert.equal((await signIn(first)).body, 'alice');
    const [token = ''] = one.sent;
    assert.deepEqual([await replay(second, token), await replay(first, token)], [200, 401]);
  });
});
