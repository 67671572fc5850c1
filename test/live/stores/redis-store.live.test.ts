/** redisStore() with each supported client, on Debian's redis-server and on a cluster of three. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../src/foundation/clock.ts';
import { redisStore, SspiAuthError } from '../../../src/index.ts';
import { StoreReplay } from '../../../src/stores/store-replay.ts';
import { matrixRows } from '../../lab/matrix.ts';
import { startRedis, startRedisCluster } from '../../lab/redis.ts';
import { tier } from '../../lab/tier.ts';
import { storeContract } from '../../stores/store-contract.ts';
import type { StoreSubject } from '../../stores/store-contract.ts';
import { clientPackages } from './redis-clients.ts';
import type { Connected } from './redis-clients.ts';

const ready = await tier('redis');

const ground = ready.skip === false ? await Promise.all([startRedis(), startRedisCluster()]) : undefined;
const connections: Connected[] = [];

function running(): NonNullable<typeof ground> {
  assert(ground !== undefined);
  return ground;
}

/** Registers the contract for two connections of one kind. */
function contract(name: string, connect: () => Promise<Connected>): void {
  let subject: StoreSubject;
  before(async () => {
    if (ready.skip !== false) return;
    const pair = await Promise.all([connect(), connect()]);
    connections.push(...pair);
    const [store, other] = pair.map(({ client }) => redisStore(client));
    assert(store !== undefined && other !== undefined);
    subject = { store, other, pass: (milliseconds) => sleep(milliseconds) };
  });
  storeContract(name, () => subject, { ...ready, concurrency: true });
}

after(async () => {
  await Promise.all(connections.map((connection) => connection.end()));
  await Promise.all(ground?.map((servers) => servers[Symbol.asyncDispose]()) ?? []);
});

for (const { name, connectToCluster } of matrixRows(clientPackages, ({ family }) => family)) {
  contract(`redisStore(${name}, a cluster)`, () => connectToCluster(running()[1].ports));
}

for (const { name, connect } of clientPackages) {
  contract(`redisStore(${name})`, () => connect(running()[0].socket));

  describe(`redisStore(${name})`, ready, () => {
    it('every key has the prefix, its type and an end; what clients can choose is hashed', async () => {
      const [server] = running();
      await server.command('flushall');
      const { client, end } = await connect(server.socket);
      const store = redisStore(client, { prefix: 'intranet:' });
      await store.claim('a:claim', 60_000);
      await store.count('a:count', 60_000);
      await store.set('a:bytes', Buffer.from('secret'), 60_000);
      await store.claim('a:\r\nFLUSHALL\r\n{x}', 60_000);
      const keys = (await server.command('keys', '*')).split('\n').sort();
      assert.equal(keys.length, 4);
      assert.match(keys[0] ?? '', /^intranet:#[\w-]{43}$/);
      assert.deepEqual(keys.slice(1), ['intranet:a:bytes', 'intranet:a:claim', 'intranet:a:count']);
      for (const key of keys) {
        const left = Number(await server.command('pttl', key));
        assert.equal(left > 0 && left <= 60_000, true, key);
      }
      await end();
    });

    it('H13: what another program wrote is no value of ours, and its error shows no values', async () => {
      const [server] = running();
      const { client, end } = await connect(server.socket);
      const store = redisStore(client);
      await server.command('set', 'sspi-auth:forged', '{"user":"administrator"}');
      await server.command('rpush', 'sspi-auth:list', 'administrator');
      const isStoreError = (error: unknown): boolean =>
        error instanceof SspiAuthError &&
        error.code === 'ERR_SSPI_AUTH_STORE' &&
        error.cause === undefined &&
        !error.message.includes('administrator');
      await assert.rejects(store.get('forged'), isStoreError);
      await assert.rejects(store.count('forged', 1000), isStoreError);
      await assert.rejects(store.get('list'), isStoreError);
      await assert.rejects(store.take('list'), isStoreError);
      assert.equal(await store.claim('list', 1000), false);
      await end();
    });

    it('H13: a script cache that is flushed, and a counter that has lost its end', async () => {
      const [server] = running();
      const { client, end } = await connect(server.socket);
      const store = redisStore(client);
      const key = `lost:${name.replace(' ', '')}`;
      assert.equal(await store.count(key, 60_000), 1);
      await server.command('script', 'flush');
      await server.command('persist', `sspi-auth:${key}`);
      assert.equal(await store.count(key, 60_000), 2);
      assert.notEqual(await server.command('pttl', `sspi-auth:${key}`), '-1');
      await end();
    });
  });
}

describe('Kerberos, remembered in a store', ready, () => {
  it('D01: an Authenticator that one process has accepted is refused by the other', async () => {
    const [server] = running();
    const ends = await Promise.all(clientPackages.slice(0, 2).map(({ connect }) => connect(server.socket)));
    const [one, two] = ends.map(
      ({ client }) => new StoreReplay({ store: redisStore(client), skew: 300_000, clock: systemClock }),
    );
    assert.ok(one !== undefined && two !== undefined);
    const hash = randomBytes(32);
    const both = await Promise.all([one.claim(hash, Date.now()), two.claim(hash, Date.now())]);
    assert.deepEqual(both.sort(), [false, true]);
    assert.equal(await two.claim(hash, Date.now()), false);
    await Promise.all(ends.map(({ end }) => end()));
    await assert.rejects(async () => one.claim(randomBytes(32), Date.now()), { code: 'ERR_SSPI_AUTH_STORE' });
  });
});

describe('redisStore', ready, () => {
  it('takes nothing but a client', () => {
    for (const client of [undefined, null, {}, 'redis://localhost', new Map(), { set() {}, get() {} }]) {
      assert.throws(() => redisStore(client as never), /option "client" .* Give redisStore\(\) what createClient\(\)/);
    }
  });
});
