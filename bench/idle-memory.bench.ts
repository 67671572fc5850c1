/** Bytes that an idle signed-in connection holds over one of bare node:http that was used as often. */
import { LoadConnection } from './load-connection.ts';
import { median } from './measurement.ts';
import type { Benchmark } from './measurement.ts';
import { RunningServer } from './running-server.ts';
import type { ServerKind } from './server.ts';

const connections = 2000;
const rounds = 3;
const mostBytes = 1024;

/** Bytes per connection, after garbage was collected. Every connection has carried the same number of requests. */
async function bytesPerConnection(kind: ServerKind): Promise<number> {
  await using server = await RunningServer.start(kind);
  const signsIn = kind !== 'node:http';
  const use = async (): Promise<LoadConnection> => {
    const connection = await LoadConnection.open(server.port);
    if (signsIn) await connection.signIn();
    else for (let leg = 0; leg < 2; leg++) await connection.request();
    await connection.request();
    return connection;
  };
  const warm: LoadConnection[] = [];
  for (let count = 0; count < 200; count++) warm.push(await use());
  const before = await server.ask('memory');
  const open: LoadConnection[] = [];
  for (let count = 0; count < connections; count++) open.push(await use());
  const bytes = ((await server.ask('memory')) - before) / connections;
  for (const connection of [...warm, ...open]) connection.close();
  return bytes;
}

const benchmark: Benchmark = {
  name: 'memory of idle connections',
  async run(progress) {
    const own: number[] = [];
    const bare: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      progress(`${connections} connections, round ${round} of ${rounds}`);
      own.push(await bytesPerConnection('node:http with sspi-auth'));
      bare.push(await bytesPerConnection('node:http'));
    }
    const over = median(own) - median(bare);
    return [
      {
        name: 'signed-in connection',
        remark: `${over.toFixed(0)} bytes over a bare one`,
        value: median(own),
        baseline: median(bare),
        unit: 'bytes',
        aim: { text: `over bare <= ${mostBytes} bytes`, met: over <= mostBytes },
        rounds: own,
        baselineRounds: bare,
      },
    ];
  },
};
export default benchmark;
