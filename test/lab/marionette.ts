/** Firefox's own remote control, Marionette: JSON with its length before it, over TCP on loopback. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

type Answer = readonly [type: 1, id: number, error: { readonly message: string } | null, result: unknown];

/** A connection to a running Firefox. */
export class Marionette implements Disposable {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (answer: Answer | Error) => void>();
  #received = Buffer.alloc(0);
  #last = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#read();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const settle of this.#waiting.values()) settle(new Error('Firefox has ended the connection'));
    });
  }

  static async open(port: number): Promise<Marionette> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Marionette(socket);
  }

  /**
   * Runs a command, such as `WebDriver:Navigate`.
   *
   * @throws Error with what Firefox says of it
   */
  run(name: string, parameters: object = {}): Promise<unknown> {
    const id = ++this.#last;
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        this.#waiting.delete(id);
        if (answer instanceof Error) reject(answer);
        else if (answer[2] !== null) reject(new Error(`${name}: ${answer[2].message}`));
        else resolve(answer[3]);
      });
    });
    const text = JSON.stringify([0, id, name, parameters]);
    this.#socket.write(`${Buffer.byteLength(text)}:${text}`);
    return answered;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(): void {
    for (;;) {
      const colon = this.#received.indexOf(':');
      const end = colon + 1 + Number(this.#received.subarray(0, colon).toString('latin1'));
      if (colon < 0 || this.#received.length < end) return;
      const message = JSON.parse(this.#received.subarray(colon + 1, end).toString()) as unknown;
      this.#received = this.#received.subarray(end);
      // The first one says which Marionette this is.
      if (Array.isArray(message)) this.#waiting.get((message as unknown as Answer)[1])?.(message as unknown as Answer);
    }
  }
}
