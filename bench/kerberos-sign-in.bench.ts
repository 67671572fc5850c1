/**
 * Whole Kerberos sign-ins, each on a new connection with a fresh token in its first request, against Apache with
 * mod_auth_gssapi and against bare node:http, which asks for nothing. Each server has the same core, the load another.
 *
 * Apache and sspi-auth have the same keytab, a replay cache in a file of their own (file2), and let alice in alone.
 */
import { installPackages, PackagesUnavailableError } from '../test/lab/debian.ts';
import { startKdc } from '../test/lab/kdc.ts';
import { runChecked } from '../test/lab/process.ts';
import { apachePackages, startApache } from './apache.ts';
import { freshTokens, tokenPackages } from './kerberos-tokens.ts';
import { expectSuccess, LoadConnection } from './load-connection.ts';
import type { MeasuredServer } from './measured-server.ts';
import { interleaved, median, pairedRatio } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';
import { RunningServer } from './running-server.ts';

const atOnce = 16;
const signInsPerRound = 800;
const rounds = 11;
/** Before the first round: what V8 compiles late, and what Apache's threads set up, is no part of a sign-in. */
const warmUp = 4000;
const leastTimesApache = 2;
const allowed = 'alice@TEST.LOCAL';

function requestWith(token?: Uint8Array): Buffer {
  const field = token === undefined ? '' : `Authorization: Negotiate ${Buffer.from(token).toString('base64')}\r\n`;
  return Buffer.from(`GET /hello HTTP/1.1\r\nHost: localhost\r\n${field}\r\n`);
}

/** One request on a new connection; gives the head and body of the response. */
async function request(server: MeasuredServer, bytes: Uint8Array): Promise<string> {
  const connection = await LoadConnection.open(server.port);
  try {
    return await connection.request(bytes);
  } finally {
    connection.close();
  }
}

/** Sign-ins per second, and microseconds of the server's processor time for each. */
async function load(server: MeasuredServer, requests: readonly Buffer[]): Promise<{ rate: number; time: number }> {
  const before = await server.processorTime();
  const start = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let bytes = requests[next++]; bytes !== undefined; bytes = requests[next++]) {
      expectSuccess(await request(server, bytes));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const rate = (requests.length * 1000) / (performance.now() - start);
  return { rate, time: ((await server.processorTime()) - before) / requests.length };
}

/** Who compares must know that both verify. @throws Error where a server lets in whom it should not, or not alice */
async function expectJudgement(server: MeasuredServer, tokens: readonly Buffer[], bob: Buffer): Promise<void> {
  const [good = Buffer.alloc(0), altered = Buffer.alloc(0)] = tokens;
  altered.writeUInt8(altered.readUInt8(altered.byteLength - 1) ^ 1, altered.byteLength - 1);
  const cases: readonly (readonly [string, number, Uint8Array | undefined])[] = [
    ['no token', 401, undefined],
    ['a fresh token', 200, good],
    ['the same token again', 401, good],
    ['an altered token', 401, altered],
  ];
  for (const [what, status, token] of cases) {
    const answered = await request(server, requestWith(token));
    if (!answered.startsWith(`HTTP/1.1 ${status}`)) {
      throw new Error(`${server.name} answers ${what} with ${answered.slice(0, 200)}`);
    }
    const proven = /^www-authenticate: Negotiate \S/im.test(answered);
    if (status === 200 && !proven) throw new Error(`${server.name} does not prove itself to the client`);
  }
  // Apache says 401 where the user is not the one allowed, this library 403.
  const stranger = await request(server, requestWith(bob));
  if (!/^HTTP\/1\.1 40[13] /.test(stranger)) throw new Error(`${server.name} lets bob in: ${stranger.slice(0, 200)}`);
}

/** The processors that this process may use. */
async function cores(): Promise<number[]> {
  const printed = await runChecked('taskset', ['-cp', String(process.pid)]);
  const list = printed.slice(printed.lastIndexOf(':') + 1).trim();
  return list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Moves every thread of a process. */
async function pin(pid: number, to: readonly number[]): Promise<void> {
  await runChecked('taskset', ['-a', '-cp', to.join(','), String(pid)]);
}

async function startOwn(kind: RunningServer['kind'], core: number): Promise<MeasuredServer> {
  const server = await RunningServer.start(kind);
  await pin(server.pid, [core]);
  return {
    name: kind,
    port: server.port,
    processorTime: () => server.ask('cpu'),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const benchmark: Benchmark = {
  name: 'Kerberos sign-ins over HTTP',
  async run(progress) {
    await installPackages([...tokenPackages, ...apachePackages, 'util-linux'], progress);
    const all = await cores();
    const [loadCore, serverCore] = all;
    if (loadCore === undefined || serverCore === undefined) {
      throw new PackagesUnavailableError('needs two processors: one for the server, one for the load');
    }
    await using kdc = await startKdc();
    Object.assign(process.env, kdc.env, { SSPI_AUTH_BENCH_REPLAY_CACHE: `file2:${kdc.file('replay')}` });
    const alice = await kdc.signIn('alice');
    const bob = await kdc.signIn('bob');
    await using own = await startOwn('node:http with Kerberos', serverCore);
    await using apache = await startApache(kdc, serverCore, allowed);
    await using bare = await startOwn('node:http', serverCore);
    for (const server of [own, apache]) {
      const [stranger = Buffer.alloc(0)] = await freshTokens(kdc, bob, 1);
      await expectJudgement(server, await freshTokens(kdc, alice, 2), stranger);
    }
    progress('both verify: 200 for alice, none for no token, one altered, one used before, and bob');
    progress(`${rounds} rounds of ${signInsPerRound} sign-ins a side, ${atOnce} at a time`);

    const servers = [own, apache, bare];
    const times = servers.map((): number[] => []);
    const requestsFor = async (server: MeasuredServer, count: number): Promise<Buffer[]> =>
      server === bare
        ? Array.from({ length: count }, () => requestWith())
        : (await freshTokens(kdc, alice, count)).map(requestWith);
    await pin(process.pid, [loadCore]);
    try {
      for (const server of servers) await load(server, await requestsFor(server, warmUp));
      const rates = await interleaved(servers, rounds, async (server) => {
        const requests = await requestsFor(server, signInsPerRound);
        const { rate, time } = await load(server, requests);
        times[servers.indexOf(server)]?.push(time);
        return rate;
      });
      return rowsOf(
        rates,
        times.map((list) => list.slice(1)),
      );
    } finally {
      await pin(process.pid, all);
    }
  },
};
export default benchmark;

function rowsOf(
  [own = [], apache = [], bare = []]: number[][],
  [ownTime = [], apacheTime = [], bareTime = []]: number[][],
): Row[] {
  const faster = pairedRatio(own, apache);
  const cheaper = pairedRatio(apacheTime, ownTime);
  const row = (name: string, unit: string, values: readonly number[], baselines: readonly number[]): Row => ({
    name,
    value: median(values),
    baseline: median(baselines),
    unit,
    rounds: values,
    baselineRounds: baselines,
  });
  return [
    {
      ...row(`sign-ins on new connections: ${faster.toFixed(2)} of Apache with mod_auth_gssapi`, '/s', own, apache),
      aim: { text: `>= ${leastTimesApache} of Apache`, met: faster >= leastTimesApache },
    },
    row(`processor time of the server for one: Apache takes ${cheaper.toFixed(2)} of ours`, 'µs', ownTime, apacheTime),
    row('new connections of bare node:http, beside our sign-ins', '/s', bare, own),
    row('processor time of bare node:http for one, beside ours', 'µs', bareTime, ownTime),
  ];
}
