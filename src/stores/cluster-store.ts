/** A SharedStore for the workers of node:cluster, in the memory of their primary process. */
import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { hrtime } from 'node:process';
import { OptionError } from '../foundation/errors.ts';
import { readReply, readRequest, replyTo, storeRequest } from './cluster-messages.ts';
import type { StoreReply, StoreRequest } from './cluster-messages.ts';
import { memoryStore } from './memory-store.ts';
import type { MemoryStore, MemoryStoreOptions } from './memory-store.ts';
import { storeError } from './store-error.ts';
import type { SharedStore } from './shared-store.ts';
import { checkedTtl } from './time-to-live.ts';

/**
 * By this variable of the environment workers know their primary's store before they can ask: its process id, the random
 * name of the store, and when that was made, on the clock that all processes of a machine share (`hrtime`).
 */
const VARIABLE = 'SSPI_AUTH_CLUSTER_STORE';

/** How long an answer of the primary is waited for, in milliseconds. */
const ANSWER_MILLISECONDS = 5000;

/** The store of this process. A process has one, so that several sspiAuth() in it share it. */
let own: SharedStore | undefined;

/**
 * The store of a cluster. Call it in the primary process before its first `cluster.fork()`, and in each worker. In a
 * process without a cluster it is a memoryStore().
 *
 * It is gone with the primary process, and other machines do not see it: for several machines take redisStore(). It
 * cannot work under pm2, whose own process is the primary; there too take redisStore().
 *
 * @param options of the store that the primary holds. Workers ignore them
 * @throws OptionError in a worker whose primary has not called this: nothing would be shared
 */
export function clusterStore(options: MemoryStoreOptions = {}): SharedStore {
  return (own ??= cluster.isPrimary ? primaryStore(memoryStore(options)) : workerStore());
}

function primaryStore(held: MemoryStore): SharedStore {
  const name = randomUUID();
  process.env[VARIABLE] = `${process.pid} ${name} ${hrtime.bigint()}`;
  cluster.on('message', (worker: Worker, message: unknown) => {
    const request = readRequest(message, name);
    // A worker that has gone meanwhile wants no answer.
    if (request !== undefined && worker.isConnected()) worker.send(replyTo(request, held), () => undefined);
  });
  return {
    claim: (key, ttl) => held.claim(key, ttl),
    count: (key, ttl) => held.count(key, ttl),
    set: (key, bytes, ttl) => held.set(key, bytes, ttl),
    get: (key) => held.get(key),
    take: (key) => held.take(key),
    delete: (key) => held.delete(key),
    age: () => held.age(),
    scope: () => name,
  };
}

function workerStore(): SharedStore {
  const [pid, name, madeAt] = process.env[VARIABLE]?.split(' ') ?? [];
  // The variable of a primary further up would name a store that this worker's primary cannot ask.
  if (Number(pid) !== process.ppid || name === undefined || !/^\d+$/.test(madeAt ?? '')) {
    throw new OptionError(
      'store',
      'is clusterStore(), but the primary process of this worker has no such store',
      'Call clusterStore() in the primary process too, before cluster.fork(). Under pm2 the primary process is that of ' +
        'pm2, which cannot: use redisStore() there.',
    );
  }
  return new WorkerStore(name, BigInt(madeAt ?? 0));
}

interface Waiting {
  readonly resolve: (value: StoreReply['value']) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

class WorkerStore implements SharedStore {
  readonly #name: string;
  readonly #madeAt: bigint;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(name: string, madeAt: bigint) {
    this.#name = name;
    this.#madeAt = madeAt;
    // Node's own listener on the process hands messages to cluster.worker: a second one would be no help.
    cluster.worker?.on('message', (message: unknown) => this.#settle(readReply(message, name)));
    cluster.worker?.on('disconnect', () => this.#fail());
  }

  async claim(key: string, ttl: number): Promise<boolean> {
    return (await this.#ask({ operation: 'claim', key, ttl: checkedTtl(ttl) })) === true;
  }

  async count(key: string, ttl: number): Promise<number> {
    const value = await this.#ask({ operation: 'count', key, ttl: checkedTtl(ttl) });
    if (typeof value !== 'number') throw unanswered('gave no number');
    return value;
  }

  async set(key: string, bytes: Uint8Array, ttl: number): Promise<void> {
    const text = Buffer.from(bytes).toString('base64');
    await this.#ask({ operation: 'set', key, ttl: checkedTtl(ttl), bytes: text });
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return bytesOf(await this.#ask({ operation: 'get', key }));
  }

  async take(key: string): Promise<Uint8Array | undefined> {
    return bytesOf(await this.#ask({ operation: 'take', key }));
  }

  async delete(key: string): Promise<void> {
    await this.#ask({ operation: 'delete', key });
  }

  age(): number {
    return Number((hrtime.bigint() - this.#madeAt) / 1_000_000n);
  }

  scope(): string {
    return this.#name;
  }

  #ask(request: Pick<StoreRequest, 'operation' | 'key' | 'ttl' | 'bytes'>): Promise<StoreReply['value']> {
    return new Promise((resolve, reject) => {
      const number = ++this.#last;
      const fail = (problem: string): void => {
        clearTimeout(this.#waiting.get(number)?.timer);
        this.#waiting.delete(number);
        reject(unanswered(problem));
      };
      if (process.send === undefined || !process.connected) return fail('is gone');
      const timer = setTimeout(() => fail(`did not answer within ${ANSWER_MILLISECONDS} ms`), ANSWER_MILLISECONDS);
      this.#waiting.set(number, { resolve, reject, timer: timer.unref() });
      process.send(storeRequest(this.#name, { number, ...request }), (error: Error | null) => {
        if (error !== null) fail('cannot be reached');
      });
    });
  }

  #settle(reply: StoreReply | undefined): void {
    const waiting = reply === undefined ? undefined : this.#waiting.get(reply.number);
    if (reply === undefined || waiting === undefined) return;
    this.#waiting.delete(reply.number);
    clearTimeout(waiting.timer);
    if (reply.error === undefined) waiting.resolve(reply.value);
    else waiting.reject(unanswered(`says: ${reply.error.slice(0, 200)}`));
  }

  #fail(): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(unanswered('is gone'));
    }
    this.#waiting.clear();
  }
}

function bytesOf(value: StoreReply['value']): Uint8Array | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw unanswered('gave no bytes');
  return Uint8Array.from(Buffer.from(value, 'base64'));
}

function unanswered(problem: string): Error {
  return storeError(`the primary process of the cluster ${problem}`);
}
