/**
 * Servers that share one processor and are loaded at the same time by autocannon, each by as many connections; what counts
 * is the processor time that each spends on a request. A machine is not equally fast from one second to the next, by more
 * than what is measured here: this way every moment meets all of them. And one process is not like the next (where its code
 * lies, what V8 inlines): so there are several of each.
 *
 * What the ratios are made of: by valgrind's callgrind, after some 40 000 requests, Koa signed in has 0.974 of the requests in the
 * same instructions of user mode (Node 22), with sessions node:http 0.947 and Fastify 0.950 (Node 22), Express 0.972 (Node 24).
 * Nearly all of it is what V8 makes of Node's own functions in a process that has loaded more code and has answered a 401: of
 * 2 140 instructions that node:http takes more on Node 22, 500 are there as soon as sspi-auth is loaded, 480 more when an
 * authenticator has been made, and 1 080 in a server without sspi-auth whose connections were answered a 401 by setHeader.
 * That these add up is assumed. Requests of signed-in connections that pass sspi-auth by cost as much as those that go through it,
 * whose `authenticate` takes some 20 ns. With a session it takes 60 to 90; what is more there was not taken apart. Processor time
 * shows more than instructions do, and how much changes with the machine.
 * Express on Node 20 and 22 (V8 before 13) is another matter: it changes the prototype of each request, after which V8 pays
 * 4 µs for each property that is added to it and 0.5 µs for each that is read. On Node 24 that is gone.
 */
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import { installPackages } from '../test/lab/debian.ts';
import { otherBuild, ownBuild } from './measured-build.ts';
import type { MeasuredBuild } from './measured-build.ts';
import { median, pairedRatio } from './measurement.ts';
import type { Row } from './measurement.ts';
import { pin, processorPackages, twoProcessors } from './processors.ts';
import { RunningServer } from './running-server.ts';
import type { ServerKind } from './server.ts';

const connections = 16;
const processes = 13;
const loadSeconds = 11;
const warmUpMilliseconds = 6000;
const measuredMilliseconds = 4500;
const leastRatio = 0.96;
/** Majors of Node for which that is wanted; on others the ratios are shown. */
const aimedMajors = [22, 24];

/** Which servers are compared. */
export interface Comparison {
  readonly own: ServerKind;
  readonly others: readonly ServerKind[];
  /** The one of the others that the aim is about. */
  readonly aimedAt: ServerKind;
}

/** How the connections of a server begin, and how many of their requests it refuses. */
export type Prepare = (
  server: RunningServer,
  connections: number,
) => Promise<{ readonly setupClient: (client: autocannon.Client) => void; readonly refused: number }>;

/** One side of a comparison. */
interface Side {
  readonly kind: ServerKind;
  readonly build: MeasuredBuild;
}

/** A server under load. */
interface Loaded {
  readonly server: RunningServer;
  readonly result: Promise<autocannon.Result>;
  /** Responses so far. */
  readonly answered: () => number;
}

function load(server: RunningServer, setupClient: (client: autocannon.Client) => void): Loaded {
  let responses = 0;
  const url = `http://127.0.0.1:${server.port}/`;
  const result = new Promise<autocannon.Result>((resolve, reject) => {
    autocannon({ url, connections, duration: loadSeconds, setupClient }, (error: unknown, ended) => {
      if (error instanceof Error) reject(error);
      else resolve(ended);
    }).on('response', () => responses++);
  });
  return { server, result, answered: () => responses };
}

/**
 * One process of each kind, when all connections are signed in and V8 has compiled what it will.
 *
 * @returns microseconds of processor time for one request, in the order of the sides
 * @throws Error where more or less was refused than has to be
 */
async function measure(sides: readonly Side[], processor: number, prepare: Prepare): Promise<number[]> {
  const servers: RunningServer[] = [];
  try {
    for (const { kind, build } of sides) {
      const server = await RunningServer.start(kind, build);
      servers.push(server);
      await pin(server.pid, processor);
    }
    const loads: (Loaded & { readonly refused: number })[] = [];
    for (const { setupClient, refused, server } of await Promise.all(
      servers.map(async (server) => ({ server, ...(await prepare(server, connections)) })),
    )) {
      loads.push({ ...load(server, setupClient), refused });
    }
    const read = (): Promise<readonly (readonly [number, number])[]> =>
      Promise.all(loads.map(async ({ server, answered }) => [await server.ask('cpu'), answered()] as const));
    await delay(warmUpMilliseconds);
    const before = await read();
    await delay(measuredMilliseconds);
    const after = await read();
    for (const { server, result, refused } of loads) {
      const { non2xx, errors } = await result;
      if (non2xx !== refused || errors > 0) {
        throw new Error(`${server.name}: ${non2xx} refused, ${errors} errors`);
      }
    }
    return after.map(([time, count], index) => {
      const [startTime = 0, startCount = 0] = before[index] ?? [];
      return (time - startTime) / (count - startCount);
    });
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

async function compare({ own, others, aimedAt }: Comparison, processor: number, prepare: Prepare): Promise<Row[]> {
  const other = otherBuild();
  const kinds: readonly Side[] = [
    { kind: own, build: ownBuild },
    ...others.map((kind) => ({ kind, build: ownBuild })),
    ...(other === undefined ? [] : [{ kind: own, build: other }]),
  ];
  const sides = kinds.map((): number[] => []);
  for (let count = 0; count < processes; count++) {
    // Each in another place every time: the first is loaded for some milliseconds alone.
    const order = kinds.map((_, turn) => (turn + count) % kinds.length);
    const times = await measure(
      order.flatMap((side) => kinds[side] ?? []),
      processor,
      prepare,
    );
    order.forEach((side, place) => sides[side]?.push(times[place] ?? Number.NaN));
  }
  const [mine = [], ...theirs] = sides;
  const isAimed = aimedMajors.includes(Number.parseInt(process.versions.node));
  return kinds.slice(1).map(({ kind, build }, index): Row => {
    const baselineRounds = theirs[index] ?? [];
    const ratio = pairedRatio(baselineRounds, mine);
    const aim = { text: `ratio >= ${leastRatio} on Node ${aimedMajors.join(' and ')}`, met: ratio >= leastRatio };
    return {
      name: `${own}, signed in; ${kind}${build.label} beside it`,
      remark: `${ratio.toFixed(3)} of its requests in the same processor time`,
      value: median(mine),
      baseline: median(baselineRounds),
      unit: 'µs',
      ...(kind === aimedAt && isAimed ? { aim } : undefined),
      rounds: mine,
      baselineRounds,
    };
  });
}

/** Compares the servers of each comparison: the processor time of one request. */
export async function compareServers(
  comparisons: readonly Comparison[],
  prepare: Prepare,
  progress: (message: string) => void,
): Promise<Row[]> {
  await installPackages(processorPackages, progress);
  const processors = await twoProcessors();
  // The load is made here.
  await pin(process.pid, processors.load);
  try {
    const rows: Row[] = [];
    for (const comparison of comparisons) {
      progress(`${comparison.own} against ${comparison.others.join(', ')}`);
      rows.push(...(await compare(comparison, processors.server, prepare)));
    }
    return rows;
  } finally {
    await pin(process.pid, processors.all);
  }
}
