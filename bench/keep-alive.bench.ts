/**
 * Requests per second over signed-in connections, loaded by autocannon: against the same server without sspi-auth, and
 * against the least that can be asked of any: middleware that judges nothing and sets a user. What is between the two is the
 * framework's.
 */
import autocannon from 'autocannon';
import { ntlmAnswer, ntlmField, ntlmFirst } from './ntlm-sign-in.ts';
import { interleaved, median, pairedRatio } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';
import { RunningServer } from './running-server.ts';
import type { ServerKind } from './server.ts';

const connections = 32;
const rounds = 7;
const roundSeconds = 2;
const leastRatio = 0.98;
const comparisons: readonly { readonly own: ServerKind; readonly bare: ServerKind; readonly least?: ServerKind }[] = [
  { own: 'express with sspi-auth', bare: 'express', least: 'express and middleware that sets a user' },
  { own: 'fastify with sspi-auth', bare: 'fastify', least: 'fastify and a hook that sets a user' },
  { own: 'node:http with sspi-auth', bare: 'node:http' },
];

/** Signs an autocannon connection in by NTLM, then leaves it to its requests without credentials. */
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
    ...(signed ? { setupClient: signIn } : undefined),
  });
  if (result.non2xx !== (signed ? connections : 0) || result.errors > 0) {
    throw new Error(`${server.kind}: ${result.non2xx} refused, ${result.errors} errors`);
  }
  return result;
}

async function compare({ own, bare, least }: (typeof comparisons)[number]): Promise<Row[]> {
  const servers = await RunningServer.all(least === undefined ? [own, bare] : [own, bare, least]);
  try {
    const processor = servers.map((): number[] => []);
    const rates = await interleaved(servers, rounds, async (server) => {
      const before = await server.ask('cpu');
      const result = await load(server);
      processor[servers.indexOf(server)]?.push(((await server.ask('cpu')) - before) / result['2xx']);
      return result['2xx'] / result.duration;
    });
    const costs = processor.map((values) => values.slice(1));
    const against = (index: number, name: string, aim: boolean): Row[] => {
      const [values = [], baselines = []] = [rates[0], rates[index]];
      const [cost = [], otherCost = []] = [costs[0], costs[index]];
      const ratio = pairedRatio(values, baselines);
      return [
        {
          name: `${own}, signed in: ${ratio.toFixed(3)} of ${name}`,
          value: median(values),
          baseline: median(baselines),
          unit: 'requests/s',
          ...(aim ? { aim: { text: `ratio >= ${leastRatio}`, met: ratio >= leastRatio } } : undefined),
          rounds: values,
          baselineRounds: baselines,
        },
        {
          name: `processor time of one request: ${pairedRatio(otherCost, cost).toFixed(3)} of ${name} is kept`,
          value: median(cost),
          baseline: median(otherCost),
          unit: 'µs',
          rounds: cost,
          baselineRounds: otherCost,
        },
      ];
    };
    return [...against(1, bare, true), ...(least === undefined ? [] : against(2, least, false))];
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
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
