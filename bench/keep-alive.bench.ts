/** Requests per second over signed-in connections, against the same server without sspi-auth. */
import { LoadConnection } from './load-connection.ts';
import { interleaved, median, pairedRatio } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';
import { RunningServer } from './running-server.ts';
import type { ServerKind } from './server.ts';

const connections = 32;
const rounds = 9;
const roundMilliseconds = 1500;
const leastRatio = 0.98;
const pairs: readonly (readonly [bare: ServerKind, protectedBy: ServerKind])[] = [
  ['express', 'express with sspi-auth'],
  ['fastify', 'fastify with sspi-auth'],
  ['node:http', 'node:http with sspi-auth'],
];

async function connected(server: RunningServer): Promise<LoadConnection[]> {
  const open = await Promise.all(Array.from({ length: connections }, () => LoadConnection.open(server.port)));
  if (server.kind.includes('with')) await Promise.all(open.map((connection) => connection.signIn()));
  return open;
}

async function compare(bare: ServerKind, own: ServerKind): Promise<Row[]> {
  const sides = await Promise.all(
    (await RunningServer.all([own, bare])).map(async (server) => ({ server, open: await connected(server) })),
  );
  try {
    const processor = sides.map((): number[] => []);
    const [values = [], baselines = []] = await interleaved(sides, rounds, async (side) => {
      const before = await side.server.ask('cpu');
      const start = performance.now();
      const counts = await Promise.all(side.open.map((connection) => connection.load(start + roundMilliseconds)));
      const seconds = (performance.now() - start) / 1000;
      const requests = counts.reduce((sum, count) => sum + count, 0);
      processor[sides.indexOf(side)]?.push(((await side.server.ask('cpu')) - before) / requests);
      return requests / seconds;
    });
    const [cost = [], bareCost = []] = processor.map((costs) => costs.slice(1));
    const ratio = pairedRatio(values, baselines);
    return [
      {
        name: `${own}, signed in: ${ratio.toFixed(3)} of ${bare}`,
        value: median(values),
        baseline: median(baselines),
        unit: 'requests/s',
        aim: { text: `ratio >= ${leastRatio}`, met: ratio >= leastRatio },
        rounds: values,
        baselineRounds: baselines,
      },
      {
        name: `processor time of one request: ${pairedRatio(bareCost, cost).toFixed(3)} is what a busy server keeps`,
        value: median(cost),
        baseline: median(bareCost),
        unit: 'µs',
        rounds: cost,
        baselineRounds: bareCost,
      },
    ];
  } finally {
    for (const { server, open } of sides) {
      for (const connection of open) connection.close();
      await server[Symbol.asyncDispose]();
    }
  }
}

const benchmark: Benchmark = {
  name: 'signed-in keep-alive requests',
  async run(progress) {
    const rows: Row[] = [];
    for (const [bare, own] of pairs) {
      progress(`${own} against ${bare}`);
      rows.push(...(await compare(bare, own)));
    }
    return rows;
  },
};
export default benchmark;
