/** Whole NTLM sign-ins, each on a new connection, against express-ntlm without a domain controller: it verifies nothing. */
import { LoadConnection } from './load-connection.ts';
import { otherBuild } from './measured-build.ts';
import { interleaved, median, pairedRatio } from './measurement.ts';
import type { Benchmark } from './measurement.ts';
import { RunningServer } from './running-server.ts';

const atOnce = 16;
const signInsPerRound = 1600;
const rounds = 11;

async function signIns(server: RunningServer): Promise<number> {
  const start = performance.now();
  const worker = async (): Promise<void> => {
    for (let count = 0; count < signInsPerRound / atOnce; count++) {
      const connection = await LoadConnection.open(server.port);
      await connection.signIn();
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return (signInsPerRound * 1000) / (performance.now() - start);
}

const benchmark: Benchmark = {
  name: 'NTLM sign-ins over HTTP',
  async run(progress) {
    progress('express with sspi-auth against express with express-ntlm');
    const servers = await RunningServer.all(['express with sspi-auth', 'express with express-ntlm']);
    const other = otherBuild();
    if (other !== undefined) servers.push(await RunningServer.start('express with sspi-auth', other));
    const processor = servers.map((): number[] => []);
    try {
      const [values = [], baselines = [], otherValues = []] = await interleaved(servers, rounds, async (server) => {
        const before = await server.ask('cpu');
        const rate = await signIns(server);
        processor[servers.indexOf(server)]?.push(((await server.ask('cpu')) - before) / signInsPerRound);
        return rate;
      });
      const [own = [], theirs = [], others = []] = processor.map((rows) => rows.slice(1));
      return [
        {
          name: 'sign-ins; express-ntlm, which verifies nothing, beside them',
          remark: `${pairedRatio(values, baselines).toFixed(2)} of express-ntlm`,
          value: median(values),
          baseline: median(baselines),
          unit: 'sign-ins/s',
          rounds: values,
          baselineRounds: baselines,
        },
        {
          name: 'processor time of the server for one sign-in',
          value: median(own),
          baseline: median(theirs),
          unit: 'µs',
          rounds: own,
          baselineRounds: theirs,
        },
        ...(other === undefined
          ? []
          : [
              {
                name: 'sign-ins; those of the other checkout beside them',
                remark: `${pairedRatio(values, otherValues).toFixed(3)} of the other checkout`,
                value: median(values),
                baseline: median(otherValues),
                unit: 'sign-ins/s',
                rounds: values,
                baselineRounds: otherValues,
              },
              {
                name: 'processor time of the server for one sign-in; that of the other checkout beside it',
                remark: `${pairedRatio(own, others).toFixed(3)} of the other checkout`,
                value: median(own),
                baseline: median(others),
                unit: 'µs',
                rounds: own,
                baselineRounds: others,
              },
            ]),
      ];
    } finally {
      for (const server of servers) await server[Symbol.asyncDispose]();
    }
  },
};
export default benchmark;
