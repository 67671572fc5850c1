/** Node's own TLS client over a stream in memory: the other side of a Schannel context. */
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

class ClientWire extends Duplex {
  writes = 0;
  output: Buffer[] = [];

  constructor() {
    super({ autoDestroy: false });
  }

  override _read(): void {
    // Records are pushed.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.writes++;
    this.output.push(chunk);
    callback();
  }
}

/** A TLS client whose records a test carries. */
export class TlsClient implements Disposable {
  readonly #wire = new ClientWire();
  readonly socket: TLSSocket;
  readonly received: Buffer[] = [];
  error: (Error & { readonly code?: string }) | undefined;
  ended = false;
  secure = false;

  constructor(options: ConnectionOptions = {}) {
    this.socket = connect({ rejectUnauthorized: false, ...options, socket: this.#wire });
    this.socket.on('data', (data: Buffer) => this.received.push(data));
    this.socket.on('error', (error: Error) => (this.error ??= error));
    this.socket.on('end', () => (this.ended = true));
    this.socket.on('secureConnect', () => (this.secure = true));
  }

  /** Everything that was received, as text. */
  get text(): string {
    return Buffer.concat(this.received).toString();
  }

  /** What the client sends after it got some records. */
  async next(records: Uint8Array = new Uint8Array(0)): Promise<Buffer> {
    if (records.byteLength > 0) this.#wire.push(records);
    for (let before = -1; before !== this.#wire.writes;) {
      before = this.#wire.writes;
      await new Promise<void>((resolve) => process.nextTick(() => setImmediate(resolve)));
    }
    const { output } = this.#wire;
    this.#wire.output = [];
    return Buffer.concat(output);
  }

  /** The records of some data. */
  async send(data: string | Uint8Array): Promise<Buffer> {
    this.socket.write(data);
    return await this.next();
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
    this.#wire.destroy();
  }
}

/** TLS records, one by one. */
export function recordsOf(bytes: Buffer): readonly Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    records.push(bytes.subarray(at, end));
    at = end;
  }
  return records;
}
