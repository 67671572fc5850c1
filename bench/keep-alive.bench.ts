/**
 * What a request over a signed-in connection costs a server, loaded by autocannon: against the same server without
 * sspi-auth, and against the least that any authentication does: setting a user, the same for all. What is between that and
 * the bare server is the framework's, as in Express, where a property more costs every request.
 *
 * The servers of a comparison share one processor and are loaded at the same time, each by as many connections; what counts
 * is the processor time that each spends on a request. A machine is not equally fast from one second to the next, by more
 * than what is measured here: this way every moment meets all of them. And one process is not like the next (where its code
 * lies, what V8 inlines): so there are several of each.
 */
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import { installPackages } from '../test/lab/debian.ts';
import { ntlmAnswer, ntlmField, ntlmFirst } from './ntlm-sign-in.ts';
import { otherBuild, ownBuild } from './measured-build.ts';
import type { MeasuredBuild } from './measured-build.ts';
import { median, pairedRatio } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';
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
const comparisons: readonly {
  readonly own: ServerKind;
  readonly others: readonly ServerKind[];
  /** The one of the others that the aim is about. */
  readonly aimedAt: ServerKind;
}[] = [
  {
    own: 'express with sspi-auth',
    others: ['express', 'express and middleware that sets a user'],
    aimedAt: 'express and middleware that sets a user',
  },
  {
    own: 'fastify with sspi-auth',
    others: ['fastify', 'fastify and a hook that sets a user'],
    aimedAt: 'fastify',
  },
  {
    own: 'node:http with sspi-auth',
    others: ['node:http', 'node:http and a listener that sets a user'],
    aimedAt: 'node:http',
  },
];

/**
 * Signs an autocannon connection in by NTLM, then leaves it to its requests without credentials. A server that asks for none
 * is sent the first token as well, so that its connections start no other way.
 */
function signIn(client: autocannon.Client): void {
  client.setHeaders({ authorization: ntlmField(ntlmFirst) });
  // Its types say that this event gives request.headers; what comes is the parser's own record.
  const answer = (parsed: unknown): void => {
    const { statusCode, headers } = parsed as { readonly statusCode: number; readonly headers: readonly string[] };
    if (statusCode !== 401) {
      client.off('headers', answer);
      client.setHeaders({});
      return;
    }
    const challenge = headers[headers.findIndex((name) => name.toLowerCase() === 'www-authenticate') + 1] ?? '';
    client.setHeaders({ authorization: ntlmField(ntlmAnswer(challenge)) });
  };
  client.on('headers', answer);
}

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

function load(server: RunningServer): Loaded {
  let responses = 0;
  const url = `http://127.0.0.1:${server.port}/`;
  const result = new Promise<autocannon.Result>((resolve, reject) => {
    autocannon({ url, connections, duration: loadSeconds, setupClient: signIn }, (error: unknown, ended) => {
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
 * @throws Error where anything but the one 401 of each handshake was refused
 */
async function measure(sides: readonly Side[], processor: number): Promise<number[]> {
  const servers: RunningServer[] = [];
  try {
    for (const { kind, build } of sides) {
      const server = await RunningServer.start(kind, build);
      servers.push(server);
      await pin(server.pid, processor);
    }
    const loads = servers.map(load);
    const read = (): Promise<readonly (readonly [number, number])[]> =>
      Promise.all(loads.map(async ({ server, answered }) => [await server.ask('cpu'), answered()] as const));
    await delay(warmUpMilliseconds);
    const before = await read();
    await delay(measuredMilliseconds);
    const after = await read();
    for (const { server, result } of loads) {
      const { non2xx, errors } = await result;
      if (non2xx !== (server.kind.includes('with sspi-auth') ? connections : 0) || errors > 0) {
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

async function compare({ own, others, aimedAt }: (typeof comparisons)[number], processor: number): Promise<Row[]> {
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

const benchmark: Benchmark = {
  name: 'signed-in keep-alive requests',
  async run(progress) {
    await installPackages(processorPackages, progress);
    const processors = await twoProcessors();
    // The load is made here.
    await pin(process.pid, processors.load);
    try {
      const rows: Row[] = [];
      for (const comparison of comparisons) {
        progress(`${comparison.own} against ${comparison.others.join(', ')}`);
        rows.push(...(await compare(comparison, processors.server)));
      }
      return rows;
    } finally {
      await pin(process.pid, processors.all);
    }
  },
};
export default benchmark;
