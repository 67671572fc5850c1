/**
 * Four processes of one service, for tests: Digest, users `user0` to `user19` with the password `password-<name>`.
 * Words of the command line: which store they share (`cluster`, a path of a Redis socket, or `none`), and how they listen:
 * `together` on one port, where each connection reaches another process, or `apart` on a port each. Answers are JSON.
 */
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { sspiAuth } from '../../../adapters/node.ts';
import { clusterStore, memoryAccounts, redisStore } from '../../../src/index.ts';
import type { SharedStore } from '../../../src/index.ts';

const [storeName = 'none', listening = 'together'] = process.argv.slice(2);

function sharedStore(): SharedStore | undefined {
  if (storeName === 'none') return undefined;
  return storeName === 'cluster' ? clusterStore() : redisStore(new Redis({ path: storeName }));
}

if (cluster.isPrimary) {
  const workers = 4;
  if (storeName === 'cluster') clusterStore();
  const ports: number[] = [];
  cluster.on('message', (_, message: { readonly port?: number } | null) => {
    if (typeof message?.port !== 'number') return;
    ports.push(message.port);
    if (ports.length === workers) console.log(`ports: ${[...new Set(ports)].join(' ')}`);
  });
  for (let index = 0; index < workers; index++) cluster.fork();
} else {
  const store = sharedStore();
  const protect = sspiAuth({
    accounts: memoryAccounts(
      Array.from({ length: 20 }, (_, index) => ({ userName: `user${index}`, password: `password-user${index}` })),
    ),
    domain: 'LAB',
    schemes: ['Digest'],
    digest: { secret: 'thirty-two bytes that all of them share' },
    logger: false,
    ...(store === undefined ? undefined : { store }),
  });
  const server = createServer(
    { keepAliveTimeout: 60_000 },
    protect((request, response) => {
      response.setHeader('Content-Type', 'application/json');
      const answer = { pid: process.pid, userName: request.user?.userName, target: request.url };
      // Not at once, so that requests of several users are under way at the same time.
      setImmediate(() => response.end(`${JSON.stringify(answer)}\n`));
    }),
  );
  server.listen({ port: 0, host: '127.0.0.1', exclusive: listening === 'apart' }, () => {
    process.send?.({ port: (server.address() as AddressInfo).port });
  });
}
