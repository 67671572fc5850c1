/**
 * Four processes of one service, for tests: Digest and NTLM, users `user0` to `user19` with the password `password-<name>`,
 * and `many`, who is in 400 groups. Words of the command line: which store they share (`cluster`, a path of a Redis socket,
 * or `none`), and how they listen: `together` on one port, where each connection reaches another process, or `apart` on a
 * port each. FLEET_SESSION of the environment is the option `session`, as JSON. Answers are JSON. A line `INDEX JSON` on
 * standard input gives a process other secrets of sessions, as a restart of it would.
 */
import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { sspiAuth } from '../../../adapters/node.ts';
import { clusterStore, memoryAccounts, redisStore } from '../../../src/index.ts';
import type { SessionOptions, SharedStore } from '../../../src/index.ts';

const [storeName = 'none', listening = 'together'] = process.argv.slice(2);

function sharedStore(): SharedStore | undefined {
  if (storeName === 'none') return undefined;
  return storeName === 'cluster' ? clusterStore() : redisStore(new Redis({ path: storeName }));
}

const userNames = Array.from({ length: 20 }, (_, index) => `user${index}`);
const accounts = memoryAccounts([
  ...userNames.map((userName) => ({ userName, password: `password-${userName}` })),
  {
    userName: 'many',
    password: 'password-many',
    groups: Array.from({ length: 400 }, (_, index) => ({ name: `LAB\\Group number ${index}` })),
  },
]);
const session = JSON.parse(process.env['FLEET_SESSION'] ?? 'null') as SessionOptions | null;

/** A request listener, with secrets of its own if there are sessions. */
function listenerWith(
  store: SharedStore | undefined,
  secrets: readonly string[],
): (request: IncomingMessage, response: ServerResponse) => void {
  const protect = sspiAuth({
    accounts,
    domain: 'LAB',
    schemes: session === null ? ['Digest'] : ['Digest', 'NTLM'],
    digest: { secret: 'thirty-two bytes that all of them share' },
    logger: false,
    ...(store === undefined ? undefined : { store }),
    ...(session === null ? undefined : { session: { ...session, secrets } }),
  });
  return protect((request, response) => {
    const { user, url: target } = request;
    response.setHeader('Content-Type', 'application/json');
    const answer = { pid: process.pid, userName: user?.userName, target, groups: user?.groups.length };
    const end = (told?: boolean): void => {
      response.end(`${JSON.stringify({ ...answer, told })}\n`);
    };
    if (request.method === 'POST' && target === '/sign-out') protect.signOut(request, response).then(end, () => end());
    // Not at once, so that requests of several users are under way at the same time.
    else setImmediate(end);
  });
}

if (cluster.isPrimary) {
  const workers = 4;
  if (storeName === 'cluster') clusterStore();
  const ports: [Worker, number][] = [];
  cluster.on('message', (worker, message: { readonly port?: number; readonly renewed?: number } | null) => {
    if (message?.renewed !== undefined) console.log(`renewed ${message.renewed}`);
    if (typeof message?.port !== 'number') return;
    ports.push([worker, message.port]);
    if (ports.length === workers) console.log(`ports: ${[...new Set(ports.map(([, port]) => port))].join(' ')}`);
  });
  for (let index = 0; index < workers; index++) cluster.fork();
  let renewals = 0;
  createInterface(process.stdin).on('line', (line) => {
    const [index = '', secrets = ''] = line.split(' ');
    ports[Number(index)]?.[0].send({ secrets: JSON.parse(secrets) as string[], renewal: ++renewals });
  });
} else {
  const store = sharedStore();
  let listener = listenerWith(store, (session?.secrets ?? []) as readonly string[]);
  process.on('message', (message: { readonly secrets?: readonly string[]; readonly renewal?: number } | null) => {
    if (message?.secrets === undefined) return;
    listener = listenerWith(store, message.secrets);
    process.send?.({ renewed: message.renewal });
  });
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => listener(request, response));
  server.listen({ port: 0, host: '127.0.0.1', exclusive: listening === 'apart' }, () => {
    process.send?.({ port: (server.address() as AddressInfo).port });
  });
}
