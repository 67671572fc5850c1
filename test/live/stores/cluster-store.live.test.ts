/** clusterStore() in real processes: a primary and two workers. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { clusterStore } from '../../../src/index.ts';
import type { SharedStore } from '../../../src/index.ts';
import { startProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import type { RunningProcess } from '../../lab/process.ts';
import { storeContract } from '../../stores/store-contract.ts';

const program = fileURLToPath(new URL('cluster.ts', import.meta.url));
const start = (...words: readonly string[]): Promise<RunningProcess> =>
  startProcess(process.execPath, [...programWords(program), ...words]);

/** The stores of the processes of a cluster: the primary's first. */
class Cluster {
  readonly running: RunningProcess;
  #last = 0;

  constructor(running: RunningProcess) {
    this.running = running;
  }

  async order(order: object): Promise<unknown> {
    const number = ++this.#last;
    this.running.write(`${JSON.stringify({ number, ...order })}\n`);
    const [line] = await this.running.waitForLine(new RegExp(`^.*"number":${number}\\b.*$`));
    const { value, error } = JSON.parse(line) as { readonly value?: unknown; readonly error?: string };
    if (error !== undefined) throw new Error(error);
    return value;
  }

  storeOf(process: number): SharedStore {
    const bytes = (value: unknown): Uint8Array | undefined =>
      typeof value === 'string' ? Uint8Array.from(Buffer.from(value, 'base64')) : undefined;
    const ask = (operation: string, key: string, more: object = {}): Promise<unknown> =>
      this.order({ process, operation, key, ...more });
    return {
      claim: async (key, ttl) => (await ask('claim', key, { ttl })) as boolean,
      count: async (key, ttl) => (await ask('count', key, { ttl })) as number,
      set: async (key, value, ttl) => {
        await ask('set', key, { ttl, bytes: Buffer.from(value).toString('base64') });
      },
      get: async (key) => bytes(await ask('get', key)),
      take: async (key) => bytes(await ask('take', key)),
      delete: async (key) => {
        await ask('delete', key);
      },
    };
  }
}

const cluster = new Cluster(await start());
after(() => cluster.running.stop());
await cluster.running.waitForLine(/"ready"/);

for (const [name, first, second] of [
  ['two workers', 1, 2],
  ['the primary and a worker', 0, 1],
] as const) {
  const subject = { store: cluster.storeOf(first), other: cluster.storeOf(second), pass: (ms: number) => sleep(ms) };
  storeContract(`clusterStore, ${name},`, () => subject, { concurrency: true });
}

describe('clusterStore', () => {
  it('has one name and one age in all processes', async () => {
    const scopes = await Promise.all([0, 1, 2].map((process) => cluster.order({ process, operation: 'scope' })));
    assert.equal(new Set(scopes).size, 1);
    const ages = await Promise.all([0, 1, 2].map((process) => cluster.order({ process, operation: 'age' })));
    const [least, most] = [Math.min(...ages.map(Number)), Math.max(...ages.map(Number))];
    assert.equal(least > 0 && most - least < 5000, true, ages.join());
  });

  it('is a memoryStore in a process without a cluster, the same one at every call', () => {
    const store = clusterStore();
    assert.equal(clusterStore(), store);
    assert.equal(store.claim('alone', 1000), true);
  });

  it('H15: a worker whose primary has no store does not start, and is told of pm2', async () => {
    await using running = await start('no-store');
    await running.waitForLine(/"exit":1/);
    assert.match(running.output.stderr, /option "store" is clusterStore\(\), but the primary process .* pm2/);
  });

  it('H15: messages of another shape change nothing, at either side', async () => {
    const name = await cluster.order({ process: 0, operation: 'scope' });
    const mark = { 'sspi-auth:store': name };
    const forged = [
      null,
      'text',
      7,
      [],
      {},
      mark,
      { ...mark, number: 'x' },
      { ...mark, number: 1, operation: 'constructor', key: 'a' },
      { ...mark, number: 1, operation: 'claim', key: { toString: 'a' }, ttl: 1000 },
      { ...mark, number: 1, operation: 'claim', key: 'a'.repeat(5000), ttl: 1000 },
      { ...mark, number: 1, operation: 'set', key: 'a', ttl: 1000, bytes: [1, 2] },
      { ...mark, number: 1, operation: 'count', key: 'a', ttl: 'long' },
      { 'sspi-auth:store': 'another', number: 1, operation: 'claim', key: 'forged', ttl: 60_000 },
    ];
    for (const forge of forged) cluster.running.write(`${JSON.stringify({ raw: { forge } })}\n`);
    const replies = [
      { ...mark, number: 1e9, value: true },
      { ...mark, number: 1, value: {} },
      { ...mark, number: -1, error: 7 },
    ];
    for (const reply of replies) cluster.running.write(`${JSON.stringify({ raw: reply })}\n`);
    assert.equal(await cluster.storeOf(1).claim('forged', 1000), true);
    assert.equal(await cluster.storeOf(2).claim('a', 1000), true);
  });

  it('a worker that is killed takes nothing with it', async () => {
    await using running = await start();
    const [line] = await running.waitForLine(/^.*"ready".*$/);
    const { ready } = JSON.parse(line) as { readonly ready: readonly number[] };
    const other = new Cluster(running);
    assert.equal(await other.storeOf(1).claim('kept', 60_000), true);
    process.kill(ready[0] ?? 0, 'SIGKILL');
    await running.waitForLine(/"exit"/);
    assert.equal(await other.storeOf(2).claim('kept', 60_000), false);
  });
});
