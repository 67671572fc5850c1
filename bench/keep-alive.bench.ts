/**
 * Requests per second over signed-in connections, loaded by autocannon: against the same server without sspi-auth, and
 * against the least that can be asked of any: middleware that does nothing at all, and such that sets a user and judges
 * nobody. What is between those and the bare server is the framework's.
 *
 * One process is not like the next: what V8 inlines depends on when its compiler threads were given a processor, and makes
 * differences of half a request's cost, with the bare server as with ours. So there are many processes of each.
 */
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import { installPackages } from '../test/lab/debian.ts';
import { ntlmAnswer, ntlmField, ntlmFirst } from './ntlm-sign-in.ts';
import { median } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';
import { pin, processorPackages, twoProcessors } from './processors.ts';
import { RunningServer } from './running-server.ts';
import type { ServerKind } from './server.ts';

const connections = 32;
const processes = 9;
const loadSeconds = 4;
const warmUpMilliseconds = 1500;
const measuredMilliseconds = 2200;
const leastRatio = 0.98;
const comparisons: readonly {
  readonly own: ServerKind;
  readonly bare: ServerKind;
  readonly least: readonly ServerKind[];
}[] = [
  {
    own: 'express with sspi-auth',
    bare: 'express',
    least: ['express and middleware that does nothing', 'express and middleware that sets a user'],
  },
  {
    own: 'fastify with sspi-auth',
    bare: 'fastify',
    least: ['fastify and a hook that does nothing', 'fastify and a hook that sets a user'],
  },
  { own: 'node:http with sspi-auth', bare: 'node:http', least: [] },
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

/** Requests per second, and the server's processor time for one in microseconds. */
interface Measured {
  readonly rate: number;
  readonly time: number;
}

/**
 * One side in a process of its own, when all connections are signed in and V8 has compiled what it will.
 *
 * @throws Error where anything but the one 401 of each handshake was refused
 */
async function measure(kind: ServerKind, processor: number): Promise<Measured> {
  await using server = await RunningServer.start(kind);
  await pin(server.pid, processor);
  let responses = 0;
  const url = `http://127.0.0.1:${server.port}/`;
  const loaded = new Promise<autocannon.Result>((resolve, reject) => {
    autocannon({ url, connections, duration: loadSeconds, setupClient: signIn }, (error: unknown, result) => {
      if (error instanceof Error) reject(error);
      else resolve(result);
    }).on('response', () => responses++);
  });
  await delay(warmUpMilliseconds);
  const [time, count, start] = [await server.ask('cpu'), responses, performance.now()];
  await delay(measuredMilliseconds);
  const spent = (await server.ask('cpu')) - time;
  const [counted, elapsed] = [responses - count, performance.now() - start];
  const { non2xx, errors } = await loaded;
  if (non2xx !== (kind.includes('with sspi-auth') ? connections : 0) || errors > 0) {
    throw new Error(`${kind}: ${non2xx} refused, ${errors} errors`);
  }
  return { rate: (counted * 1000) / elapsed, time: spent / counted };
}

async function compare({ own, bare, least }: (typeof comparisons)[number], processor: number): Promise<Row[]> {
  const kinds = [own, bare, ...least];
  const sides = kinds.map((): Measured[] => []);
  for (let count = 0; count < processes; count++) {
    // Each in another place every time: what else the machine does meets them alike.
    for (let turn = 0; turn < kinds.length; turn++) {
      const side = (turn + count) % kinds.length;
      sides[side]?.push(await measure(kinds[side] ?? bare, processor));
    }
  }
  const [mine = [], ...others] = sides;
  return others.flatMap((other, index): Row[] => {
    const name = kinds[index + 1];
    const ratio = median(mine.map(({ rate }) => rate)) / median(other.map(({ rate }) => rate));
    const kept = median(other.map(({ time }) => time)) / median(mine.map(({ time }) => time));
    return [
      {
        name: `${own}, signed in: ${ratio.toFixed(3)} of ${name}`,
        value: median(mine.map(({ rate }) => rate)),
        baseline: median(other.map(({ rate }) => rate)),
        unit: 'requests/s',
        ...(name === bare ? { aim: { text: `ratio >= ${leastRatio}`, met: ratio >= leastRatio } } : undefined),
        rounds: mine.map(({ rate }) => rate),
        baselineRounds: other.map(({ rate }) => rate),
      },
      {
        name: `processor time of one request: ${kept.toFixed(3)} of ${name} is kept`,
        value: median(mine.map(({ time }) => time)),
        baseline: median(other.map(({ time }) => time)),
        unit: 'µs',
        rounds: mine.map(({ time }) => time),
        baselineRounds: other.map(({ time }) => time),
      },
    ];
  });
}

const benchmark: Benchmark = {
  name: 'signed-in keep-alive requests',
  async run(progress) {
    await installPackages(processorPackages, progress);
    const processors = await twoProcessors();
    // The load is made here.
    await pin(process.pid, processors.load);
    const rows: Row[] = [];
    for (const comparison of comparisons) {
      progress(`${comparison.own} against ${comparison.bare}`);
      rows.push(...(await compare(comparison, processors.server)));
    }
    return rows;
  },
};
export default benchmark;
