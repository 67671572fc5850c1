/** Ports of the loopback interface. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server as NetServer } from 'node:net';

/**
 * Starts a server on a free port of 127.0.0.1.
 *
 * @returns the port
 */
export async function listen(server: NetServer | Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/**
 * A port of 127.0.0.1 that was free a moment ago, for programs that cannot bind port 0 themselves. Another process may
 * take it in between: start such a program again when it reports that.
 */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}
