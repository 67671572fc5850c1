/**
 * Sessions: what a request with a session cookie costs over a standing connection, against the same servers as signed-in
 * connections have (bench/keep-alive.bench.ts); what opening a cookie costs on a new one; the memory of a session that a
 * connection remembers; and how often the store is asked.
 */
import { randomBytes } from 'node:crypto';
import { Secret } from '../src/foundation/secret.ts';
import { decodeContent, encodeContent } from '../src/sessions/session-content.ts';
import { SessionSeal } from '../src/sessions/session-seal.ts';
import { answerChallenge } from '../test/packages/digest/digest-client.ts';
import { expectSuccess, LoadConnection } from './load-connection.ts';
import { compareServers } from './loaded-servers.ts';
import type { Comparison } from './loaded-servers.ts';
import { median } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';
import { RunningServer } from './running-server.ts';
import type { ServerKind } from './server.ts';

const comparisons: readonly Comparison[] = [
  {
    own: 'express with sessions',
    others: [
      'express',
      'express and middleware that sets a user',
      'express and middleware that sets a user, sspi-auth loaded',
    ],
    aimedAt: 'express and middleware that sets a user',
  },
  {
    own: 'fastify with sessions',
    others: ['fastify', 'fastify and a hook that sets a user', 'fastify and a hook that sets a user, sspi-auth loaded'],
    aimedAt: 'fastify and a hook that sets a user',
  },
  {
    own: 'node:http with sessions',
    others: [
      'node:http',
      'node:http and a listener that sets a user',
      'node:http and a listener that sets a user, sspi-auth loaded',
    ],
    aimedAt: 'node:http and a listener that sets a user',
  },
];
const groups = 20;
const unsealRounds = 15;
const unsealsPerRound = 1000;
const memoryRounds = 3;
const rememberedSessions = 1000;
const requests = 100;

/** Signs in on a connection of its own. @returns the Cookie field of its session */
async function cookieOf(port: number): Promise<string> {
  const connection = await LoadConnection.open(port);
  const response = await connection.signIn();
  connection.close();
  const pair = /set-cookie: ([^;]+)/i.exec(response)?.[1];
  if (pair === undefined) throw new Error('the measured server set no cookie');
  return pair;
}

function requestWith(field: string): Buffer {
  return Buffer.from(`GET / HTTP/1.1\r\nHost: localhost\r\n${field}\r\n\r\n`);
}

/** Where there are no sessions the same bytes are sent, and nobody reads them. */
const otherCookie = `sspi-auth=${'x'.repeat(500)}`;

async function unsealing(): Promise<readonly Row[]> {
  const seal = new SessionSeal([new Secret(randomBytes(32))]);
  const sealed = await seal.seal(
    encodeContent({
      audience: 'app',
      id: randomBytes(16).toString('base64url'),
      signedInAt: Date.now(),
      sealedAt: Date.now(),
      endsAt: Date.now() + 28_800_000,
      facts: { scheme: 'Negotiate', package: 'Kerberos', provider: 'portable', attributes: 7, expiry: new Date() },
      user: {
        name: 'CORP\\alice',
        userName: 'alice',
        domain: 'CORP',
        package: 'Kerberos',
        sid: 'S-1-5-21-1004336348-1177238915-682003330-1105',
        groups: Array.from({ length: groups }, (_, index) => ({
          sid: `S-1-5-21-1004336348-1177238915-682003330-${2000 + index}`,
          attributes: 7,
          denyOnly: false,
        })),
      },
    }),
  );
  const processor: number[] = [];
  const elapsed: number[] = [];
  for (let round = -3; round < unsealRounds; round++) {
    const began = performance.now();
    const start = process.cpuUsage();
    for (let count = 0; count < unsealsPerRound; count++) {
      const opened = await seal.open(sealed);
      if (opened === undefined || decodeContent(opened) === undefined) throw new Error('a cookie did not open');
    }
    const { user, system } = process.cpuUsage(start);
    if (round < 0) continue;
    processor.push((user + system) / unsealsPerRound);
    elapsed.push(((performance.now() - began) * 1000) / unsealsPerRound);
  }
  const name = `one cookie of ${groups} groups opened, as on a new connection`;
  return [
    { name: `${name}, processor time`, value: median(processor), unit: 'µs', rounds: processor },
    { name: `${name}, one after the other`, value: median(elapsed), unit: 'µs', rounds: elapsed },
  ];
}

/** Bytes per connection after collecting garbage; each has its own cookie, and has sent two requests with it. */
async function bytesPerConnection(kind: ServerKind): Promise<number> {
  await using server = await RunningServer.start(kind);
  const use = async (): Promise<LoadConnection> => {
    const cookie = kind === 'node:http' ? otherCookie : await cookieOf(server.port);
    const connection = await LoadConnection.open(server.port);
    for (let count = 0; count < 2; count++) expectSuccess(await connection.request(requestWith(`Cookie: ${cookie}`)));
    return connection;
  };
  const open: LoadConnection[] = [];
  for (let count = 0; count < 200; count++) open.push(await use());
  const before = await server.ask('memory');
  for (let count = 0; count < rememberedSessions; count++) open.push(await use());
  const bytes = ((await server.ask('memory')) - before) / rememberedSessions;
  for (const connection of open) connection.close();
  return bytes;
}

async function memory(progress: (message: string) => void): Promise<Row> {
  const own: number[] = [];
  const bare: number[] = [];
  for (let round = 1; round <= memoryRounds; round++) {
    progress(`${rememberedSessions} remembered sessions, round ${round} of ${memoryRounds}`);
    own.push(await bytesPerConnection('node:http with sessions'));
    bare.push(await bytesPerConnection('node:http'));
  }
  return {
    name: 'connection that remembers a session',
    remark: `${(median(own) - median(bare)).toFixed(0)} bytes over a bare one`,
    value: median(own),
    baseline: median(bare),
    unit: 'bytes',
    rounds: own,
    baselineRounds: bare,
  };
}

/** Operations of the store for each of some requests after the first. */
async function roundTrips(
  kind: ServerKind,
  prepare: (port: number) => Promise<(count: number) => Buffer>,
): Promise<number> {
  await using server = await RunningServer.start(kind);
  const requestOf = await prepare(server.port);
  const connection = await LoadConnection.open(server.port);
  expectSuccess(await connection.request(requestOf(1)));
  const before = await server.ask('store');
  for (let count = 2; count <= requests + 1; count++) expectSuccess(await connection.request(requestOf(count)));
  const operations = (await server.ask('store')) - before;
  connection.close();
  return operations / requests;
}

async function storeRows(): Promise<readonly Row[]> {
  const session = await roundTrips('node:http with sessions and a store', async (port) => {
    const bytes = requestWith(`Cookie: ${await cookieOf(port)}`);
    return () => bytes;
  });
  const digest = await roundTrips('node:http with Digest and a store', async (port) => {
    const connection = await LoadConnection.open(port);
    const challenge = /www-authenticate: Digest (.*SHA-256.*)\r/i.exec(await connection.request())?.[1] ?? '';
    connection.close();
    return (count) => {
      const nc = count.toString(16).padStart(8, '0');
      const answer = answerChallenge(challenge, { userName: 'alice', password: 'Wonderland-7', uri: '/', nc });
      return requestWith(`Authorization: Digest ${answer}`);
    };
  });
  const row = (name: string, value: number, aim: number): Row => ({
    name: `operations of the store for a request by ${name}`,
    value,
    unit: '',
    aim: { text: String(aim), met: value === aim },
    rounds: [value],
  });
  return [row('session', session, 0), row('Digest', digest, 1)];
}

const benchmark: Benchmark = {
  name: 'sessions',
  async run(progress) {
    const rows = [...(await storeRows()), ...(await unsealing()), await memory(progress)];
    const compared = await compareServers(
      comparisons,
      async ({ kind, port }) => {
        const cookie = kind.includes('with sessions') ? await cookieOf(port) : otherCookie;
        return { setupClient: (client) => client.setHeaders({ cookie }), refused: 0 };
      },
      progress,
    );
    return [...rows, ...compared];
  },
};
export default benchmark;
