/**
 * A cluster for tests: the primary hands what its tests ask on to two workers, and says what they answer. Words of the
 * command line: `no-store` leaves the store out in the primary.
 */
import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { createInterface } from 'node:readline';
import { clusterStore } from '../../../src/index.ts';
import type { SharedStore } from '../../../src/index.ts';

/** One line of the test: which process does what. 0 is the primary. */
interface Order {
  readonly number: number;
  readonly process: number;
  readonly operation: keyof SharedStore;
  readonly key: string;
  readonly ttl?: number;
  readonly bytes?: string;
}

async function obey(store: SharedStore, { operation, key, ttl = 0, bytes = '' }: Order): Promise<unknown> {
  switch (operation) {
    case 'set':
      return store.set(key, Buffer.from(bytes, 'base64'), ttl);
    case 'get':
    case 'take': {
      const value = await store[operation](key);
      return value === undefined ? undefined : Buffer.from(value).toString('base64');
    }
    case 'claim':
    case 'count':
      return store[operation](key, ttl);
    case 'delete':
      return store.delete(key);
    case 'age':
    case 'scope':
      return store[operation]?.();
  }
}

function answer(store: SharedStore, order: Order, say: (answer: object) => void): void {
  obey(store, order).then(
    (value) => say({ number: order.number, value }),
    (error: unknown) => say({ number: order.number, error: String(error) }),
  );
}

if (cluster.isPrimary) {
  const store = process.argv.includes('no-store') ? undefined : clusterStore();
  const print = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  const workers: Worker[] = [cluster.fork(), cluster.fork()];
  let online = 0;
  for (const worker of workers) {
    worker.on('exit', (code) => print({ exit: code }));
    worker.on('message', (message: { readonly answer?: object; readonly ready?: true } | null) => {
      if (message?.answer !== undefined) print(message.answer);
      if (message?.ready === true && ++online === workers.length)
        print({ ready: workers.map(({ process: { pid } }) => pid) });
    });
  }
  createInterface(process.stdin).on('line', (line) => {
    const order = JSON.parse(line) as Order & { readonly raw?: unknown };
    if (order.raw !== undefined) {
      for (const worker of workers) worker.send(order.raw as object);
    } else if (order.process === 0 && store !== undefined) {
      answer(store, order, print);
    } else {
      workers[order.process - 1]?.send({ order });
    }
  });
} else {
  const store = clusterStore();
  process.on('message', ({ order, forge }: { readonly order?: Order; readonly forge?: unknown }) => {
    if (forge !== undefined) process.send?.(forge);
    if (order !== undefined) answer(store, order, (said) => process.send?.({ answer: said }));
  });
  process.send?.({ ready: true });
}
