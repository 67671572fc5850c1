/** The wire under a TLS connection of node:tls: records go in by push and come out by _write, and nothing is a socket. */
import { Duplex } from 'node:stream';

const nothing = Buffer.alloc(0);

export class TlsWire extends Duplex {
  #output: Buffer[] = [];
  /** How many times TLS has written. */
  writes = 0;
  /** TLS has given the connection up. */
  gone = false;

  constructor() {
    super({ autoDestroy: false });
  }

  /** What TLS wrote since the last call. */
  takeOutput(): Buffer {
    const output = this.#output;
    if (output.length === 0) return nothing;
    this.#output = [];
    const [first = nothing] = output;
    return output.length === 1 ? first : Buffer.concat(output);
  }

  /**
   * Waits until TLS has nothing more to write. Node holds its output back until the stream has taken what it wrote
   * before, and says so by process.nextTick and setImmediate: so after a turn without output there is none to come. An
   * error comes within one turn too.
   */
  async idle(): Promise<void> {
    for (let before = -1; before !== this.writes;) {
      before = this.writes;
      await new Promise<void>((resolve) => process.nextTick(() => setImmediate(resolve)));
    }
  }

  override _read(): void {
    // Records are pushed when they come.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.writes++;
    this.#output.push(chunk);
    // At once, so that the setImmediate of `idle` comes after that of Node.
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.gone = true;
    callback(error);
  }
}
