/**
 * 100 000 connections of a client that does everything wrong at once, against each adapter, while right users sign in:
 * no exception, no growth, nobody let in, and how long right users wait beside an idle server.
 */
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { AskedProcess } from './asked-process.ts';
import { expectSuccess, LoadConnection } from './load-connection.ts';
import type { Benchmark, Row } from './measurement.ts';
import { RunningServer } from './running-server.ts';
import type { ServerKind } from './server.ts';

const kinds: readonly ServerKind[] = [
  'express with every scheme',
  'fastify with every scheme',
  'node:http with every scheme',
];
const connections = 100_000;
/** Connections between two messages of progress. */
const part = 10_000;
/** Before memory is looked at first: code is compiled and pools have their size by then. */
const warmUp = 10_000;
/** Right users at once. */
const users = 4;
/** Requests of a right user after the sign-in, over the same connection. */
const requests = 5;
/** Sign-ins of right users beside an idle server. */
const idleSignIns = 2000;
const mostBytes = 20;
const client = fileURLToPath(new URL('hostile-client.ts', import.meta.url));

/** Milliseconds that right users waited. */
interface Waits {
  readonly signIns: number[];
  readonly requests: number[];
}

/** Right users sign in and ask, one after the other, until they are told to stop. */
async function serveUsers({ port }: RunningServer, goesOn: (waits: Waits) => boolean): Promise<Waits> {
  const waits: Waits = { signIns: [], requests: [] };
  const user = async (): Promise<void> => {
    while (goesOn(waits)) {
      let start = performance.now();
      const connection = await LoadConnection.open(port);
      await connection.signIn();
      waits.signIns.push(performance.now() - start);
      for (let count = 0; count < requests; count++) {
        start = performance.now();
        expectSuccess(await connection.request());
        waits.requests.push(performance.now() - start);
      }
      connection.close();
      await delay(2);
    }
  };
  await Promise.all(Array.from({ length: users }, user));
  return waits;
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** Bytes in use when every hostile connection has gone. @throws Error where handshakes stay */
async function memoryAtRest(server: RunningServer): Promise<number> {
  for (let tries = 0; (await server.ask('pending')) > 0; tries++) {
    if (tries === 100) throw new Error(`${server.name} holds handshakes whose clients have gone`);
    await delay(100);
  }
  await delay(500);
  return server.ask('memory');
}

async function measure(kind: ServerKind, progress: (message: string) => void): Promise<readonly Row[]> {
  await using server = await RunningServer.start(kind);
  const environment = { ...process.env, NODE_OPTIONS: '' };
  await using hostile = new AskedProcess(
    process.execPath,
    [...process.execArgv, client, String(server.port)],
    environment,
  );
  const attack = async (count: number): Promise<void> => {
    const admitted = await hostile.ask(String(count));
    if (admitted > 0) throw new Error(`${kind} let ${admitted} hostile connections in`);
  };
  progress(`${kind}: warming up`);
  await serveUsers(server, ({ signIns }) => signIns.length < 500);
  await attack(warmUp);
  const before = await memoryAtRest(server);
  const idle = await serveUsers(server, ({ signIns }) => signIns.length < idleSignIns);
  let attacked = true;
  const serving = serveUsers(server, () => attacked);
  // A server that ends is told of by the attack, which waits for it.
  serving.catch(() => undefined);
  const start = performance.now();
  for (let made = 0; made < connections; made += part) {
    await attack(part);
    progress(
      `${kind}: ${made + part} of ${connections} connections, ${Math.round((performance.now() - start) / 1000)} s`,
    );
  }
  const seconds = (performance.now() - start) / 1000;
  attacked = false;
  const meanwhile = await serving;
  const faults = await server.ask('faults');
  const growth = ((await memoryAtRest(server)) - before) / connections;
  const waitRow = (what: string, values: readonly number[], beside: readonly number[]): Row => {
    const text = (samples: readonly number[]): string =>
      [0.5, 0.99].map((part) => percentile(samples, part).toFixed(2)).join(' and ');
    return {
      name: `${kind}: p99 of ${what} of right users; on an idle server beside it`,
      remark: `${values.length} of them; median and p99 ${text(values)} ms, idle ${text(beside)} ms`,
      value: percentile(values, 0.99),
      baseline: percentile(beside, 0.99),
      unit: 'ms',
      rounds: [],
    };
  };
  return [
    waitRow('sign-ins', meanwhile.signIns, idle.signIns),
    waitRow('signed-in requests', meanwhile.requests, idle.requests),
    {
      name: `${kind}: exceptions and warnings`,
      remark: `${connections} hostile connections in ${seconds.toFixed(0)} s, and none was let in`,
      value: faults,
      unit: 'of them',
      aim: { text: 'none', met: faults === 0 },
      rounds: [faults],
    },
    {
      name: `${kind}: growth of memory for each hostile connection`,
      value: growth,
      unit: 'bytes',
      aim: { text: `<= ${mostBytes} bytes`, met: growth <= mostBytes },
      rounds: [growth],
    },
  ];
}

const benchmark: Benchmark = {
  name: 'hostile clients',
  async run(progress) {
    const rows: Row[] = [];
    for (const kind of kinds) rows.push(...(await measure(kind, progress)));
    return rows;
  },
};
export default benchmark;
