/**
 * Requests per second over signed-in connections, loaded by autocannon: against the same server without sspi-auth, and
 * against the least that can be asked of any: middleware that does nothing at all, and such that sets a user and judges
 * nobody. What is between those and the bare server is the framework's.
 *
 * One process is not like the next: what V8 inlines depends on when its compiler threads were given a processor, and makes
 * differences of half a request's cost, with the bare server as with ours. So there are many processes, a few rounds each.
 */
import autocannon from 'autocannon';
import { ntlmAnswer, ntlmField, ntlmFirst } from './ntlm-sign-in.ts';
import { interleaved, median } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';
import { RunningServer } from './running-server.ts';
import type { ServerKind } from './server.ts';

const connections = 32;
const generations = 7;
const rounds = 2;
const roundSeconds = 1;
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

/** @throws Error where anything but the one 401 of each handshake was refused */
async function load(server: RunningServer): Promise<autocannon.Result> {
  const signed = server.kind.includes('with sspi-auth');
  const result = await autocannon({
    url: `http://127.0.0.1:${server.port}/`,
    connections,
    duration: roundSeconds,
    setupClient: signIn,
  });
  if (result.non2xx !== (signed ? connections : 0) || result.errors > 0) {
    throw new Error(`${server.kind}: ${result.non2xx} refused, ${result.errors} errors`);
  }
  return result;
}

/** Requests per second, and the server's processor time for one in microseconds. */
interface Measured {
  readonly rate: number;
  readonly time: number;
}

/** Rounds of each side, in processes of their own. */
async function generation(kinds: readonly ServerKind[]): Promise<Measured[][]> {
  const servers = await RunningServer.all(kinds);
  try {
    const times = servers.map((): number[] => []);
    const rates = await interleaved(servers, rounds, async (server) => {
      const before = await server.ask('cpu');
      const result = await load(server);
      times[servers.indexOf(server)]?.push(((await server.ask('cpu')) - before) / result['2xx']);
      return result['2xx'] / result.duration;
    });
    // The first of the times is that of the round that warms up.
    return rates.map((list, side) =>
      list.map((rate, round) => ({ rate, time: times[side]?.[round + 1] ?? Number.NaN })),
    );
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
}

async function compare({ own, bare, least }: (typeof comparisons)[number]): Promise<Row[]> {
  const kinds = [own, bare, ...least];
  const sides = kinds.map((): Measured[] => []);
  for (let count = 0; count < generations; count++) {
    for (const [side, measured] of (await generation(kinds)).entries()) sides[side]?.push(...measured);
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
    const rows: Row[] = [];
    for (const comparison of comparisons) {
      progress(`${comparison.own} against ${comparison.bare}`);
      rows.push(...(await compare(comparison)));
    }
    return rows;
  },
};
export default benchmark;
