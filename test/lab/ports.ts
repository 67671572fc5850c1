/** Servers and ports of the loopback interface. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

/** A server that listens until it is disposed of: `await using server = await listen(createServer(…))`. */
export interface ListeningServer extends AsyncDisposable {
  /** Port of 127.0.0.1. */
  readonly port: number;
  /** `http://127.0.0.1:<port>`; for TLS put another scheme before `authority`. */
  readonly origin: string;
  /** `127.0.0.1:<port>`. */
  readonly authority: string;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/**
 * Starts a server on a free port of 127.0.0.1.
 *
 * @param server of node:net, node:tls, node:http or node:https
 * @param host another address, such as `::1` or `localhost`
 */
export async function listen(server: Server, host = '127.0.0.1'): Promise<ListeningServer> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { port, authority, origin: `http://${authority}`, close, [Symbol.asyncDispose]: close };
}

/**
 * A port of 127.0.0.1 that was free a moment ago, for programs that cannot bind port 0 themselves. Another process may
 * take it in between: start such a program again when it reports that.
 */
export async function freePort(): Promise<number> {
  await using server = await listen(createServer());
  return server.port;
}
