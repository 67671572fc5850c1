/**
 * Whole Kerberos sign-ins, each on a new connection with a fresh token in its first request, against Apache with
 * mod_auth_gssapi and against bare node:http, which asks for nothing. Each server has the same core, the load another:
 * a C program, since one of Node would spend more on a connection than the servers do and hide what sets them apart.
 *
 * Apache and sspi-auth have the same keytab, a replay cache in a file of their own (file2), and let alice in alone.
 * Apache as Debian configures it writes its access log; lean Apache and sspi-auth write none. sspi-auth verifies and
 * reads the PAC (SID, groups) of every ticket; Apache learns the client's name alone.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { installPackages } from '../test/lab/debian.ts';
import { startKdc } from '../test/lab/kdc.ts';
import { runChecked } from '../test/lab/process.ts';
import { AskedProcess } from './asked-process.ts';
import { apachePackages, startApache } from './apache.ts';
import { freshTokens, tokenPackages } from './kerberos-tokens.ts';
import { LoadConnection } from './load-connection.ts';
import type { MeasuredServer } from './measured-server.ts';
import { interleaved, median, pairedRatio } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';
import { pin, processorPackages, twoProcessors } from './processors.ts';
import { RunningServer } from './running-server.ts';

const atOnce = 16;
const signInsPerRound = 2000;
const rounds = 11;
/** Before the first round: what V8 compiles late, and what Apache's threads set up, is no part of a sign-in. */
const warmUp = 10_000;
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

/** What one round of a server came to. */
interface Load {
  /** Sign-ins per second. */
  readonly rate: number;
  /** Microseconds of the server's processor time for each. */
  readonly time: number;
  /** Share of the round in which the server had its core. */
  readonly busy: number;
}

async function load(loader: AskedProcess, server: MeasuredServer, path: string, count: number): Promise<Load> {
  const before = await server.processorTime();
  const seconds = await loader.ask(`${server.port} ${path}`);
  const used = (await server.processorTime()) - before;
  return { rate: count / seconds, time: used / count, busy: used / 1e6 / seconds };
}

/** A file of requests as sign-in-load.c reads them. */
async function writeRequests(path: string, requests: readonly Buffer[]): Promise<string> {
  const parts = requests.flatMap((request) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(request.byteLength);
    return [length, request];
  });
  await writeFile(path, Buffer.concat(parts));
  return path;
}

/** Who compares must know that both verify. @throws Error where a server lets in whom it should not, or not alice */
async function expectResults(server: MeasuredServer, tokens: readonly Buffer[], bob: Buffer): Promise<void> {
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

async function startOwn(kind: RunningServer['kind'], core: number): Promise<MeasuredServer> {
  const server = await RunningServer.start(kind);
  await pin(server.pid, core);
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
    await installPackages([...tokenPackages, ...apachePackages, 'gcc', 'libc6-dev', ...processorPackages], progress);
    const { load: loadCore, server: serverCore } = await twoProcessors();
    await using kdc = await startKdc();
    Object.assign(process.env, kdc.env, { SSPI_AUTH_BENCH_REPLAY_CACHE: `file2:${kdc.file('replay')}` });
    const alice = await kdc.signIn('alice');
    const bob = await kdc.signIn('bob');
    await using own = await startOwn('node:http with Kerberos', serverCore);
    await using apache = await startApache('Debian', kdc, serverCore, allowed);
    await using lean = await startApache('lean', kdc, serverCore, allowed);
    await using bare = await startOwn('node:http', serverCore);
    for (const server of [own, apache, lean]) {
      const [stranger = Buffer.alloc(0)] = await freshTokens(kdc, bob, 1);
      await expectResults(server, await freshTokens(kdc, alice, 2), stranger);
    }
    progress('all verify: 200 for alice, none for no token, one altered, one used before, and bob');
    progress(`${rounds} rounds of ${signInsPerRound} sign-ins a side, ${atOnce} at a time`);

    const program = kdc.file('sign-in-load');
    const source = fileURLToPath(new URL('sign-in-load.c', import.meta.url));
    await runChecked('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
    await using loader = new AskedProcess('taskset', ['-c', String(loadCore), program, String(atOnce)]);
    const plain = await writeRequests(
      kdc.file('plain'),
      Array.from({ length: signInsPerRound }, () => requestWith()),
    );
    // The servers sign the same tokens in: each has a replay cache of its own.
    const signIns = async (count: number): Promise<string> =>
      writeRequests(kdc.file('sign-ins'), (await freshTokens(kdc, alice, count)).map(requestWith));
    const servers = [own, apache, lean, bare];
    const warmUpPath = await signIns(warmUp);
    for (const server of [own, apache, lean]) await load(loader, server, warmUpPath, warmUp);
    for (let sent = 0; sent < warmUp; sent += signInsPerRound) await load(loader, bare, plain, signInsPerRound);
    const loads = servers.map((): Load[] => []);
    let asked = 0;
    let path = '';
    await interleaved(servers, rounds, async (server) => {
      if (asked++ % servers.length === 0) path = await signIns(signInsPerRound);
      const loaded = await load(loader, server, server === bare ? plain : path, signInsPerRound);
      loads[servers.indexOf(server)]?.push(loaded);
      return loaded.rate;
    });
    return rowsOf(loads.map((list) => list.slice(1)));
  },
};
export default benchmark;

function rowsOf([own = [], apache = [], lean = [], bare = []]: readonly Load[][]): Row[] {
  const row = (
    name: string,
    remark: string,
    of: 'rate' | 'time',
    values: readonly Load[],
    baselines: readonly Load[],
  ): Row => {
    const [rounds, baselineRounds] = [values.map((load) => load[of]), baselines.map((load) => load[of])];
    const unit = of === 'rate' ? '/s' : 'µs';
    return { name, remark, value: median(rounds), baseline: median(baselineRounds), unit, rounds, baselineRounds };
  };
  const ratio = (of: 'rate' | 'time', values: readonly Load[], baselines: readonly Load[]): number =>
    pairedRatio(
      values.map((load) => load[of]),
      baselines.map((load) => load[of]),
    );
  const busy = (loads: readonly Load[]): string => `${Math.round(100 * median(loads.map((load) => load.busy)))} %`;
  const faster = ratio('rate', own, apache);
  const cores = [own, apache, lean].map(busy).join(', ');
  return [
    {
      ...row(
        'sign-ins on new connections; Apache as Debian configures it beside them',
        `${faster.toFixed(2)} of Apache`,
        'rate',
        own,
        apache,
      ),
      aim: { text: `>= ${leastTimesApache} of Apache`, met: faster >= leastTimesApache },
    },
    row(
      'the same; lean Apache beside them',
      `${ratio('rate', own, lean).toFixed(2)} of lean Apache`,
      'rate',
      own,
      lean,
    ),
    row(
      'processor time of the server for one; Apache beside it',
      `Apache takes ${ratio('time', apache, own).toFixed(2)} of ours ` +
        `(the core was busy with ours, Apache, lean Apache: ${cores})`,
      'time',
      own,
      apache,
    ),
    row(
      'processor time of the server for one; lean Apache beside it',
      `lean Apache takes ${ratio('time', lean, own).toFixed(2)} of ours`,
      'time',
      own,
      lean,
    ),
    row(
      'new connections of bare node:http; our sign-ins beside them',
      `${ratio('rate', bare, own).toFixed(2)} of ours`,
      'rate',
      bare,
      own,
    ),
    row(
      'processor time of bare node:http for one; ours beside it',
      `${ratio('time', bare, own).toFixed(2)} of ours`,
      'time',
      bare,
      own,
    ),
  ];
}
