/** A raw client that goes on sending when the server has closed its side, with the server's socket of its connection. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

export class HalfOpenClient {
  readonly socket: Socket;
  readonly served: Socket;
  received = '';
  readonly #ended: Promise<unknown>;
  readonly #closed: Promise<unknown>;

  private constructor(socket: Socket, served: Socket) {
    this.socket = socket;
    this.served = served;
    socket.setEncoding('latin1').on('data', (text: string) => (this.received += text));
    socket.on('error', () => undefined);
    this.#ended = once(socket, 'end');
    // Not by `once` of node:events: a connection that is cut off closes after an error.
    this.#closed = new Promise((resolve) => served.once('close', resolve));
  }

  /** Connects to a server of this process on loopback. */
  static async open({ port, server }: { readonly port: number; readonly server: Server }): Promise<HalfOpenClient> {
    const connection = once(server, 'connection');
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const [served] = (await connection) as [Socket];
    return new HalfOpenClient(socket, served);
  }

  /** Sends bytes, and waits until the server has read them. */
  async send(bytes: Buffer): Promise<void> {
    const { bytesRead } = this.served;
    this.socket.write(bytes);
    while (this.served.bytesRead < bytesRead + bytes.byteLength && !this.served.destroyed) await turn();
  }

  /** The server has closed its side. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  /** The server has closed the connection. */
  async closed(): Promise<void> {
    await this.#closed;
    this.socket.destroy();
  }
}
