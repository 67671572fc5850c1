/**
 * The server's side of one TLS connection, by bytes: records in, records out. TLS itself is node:tls over a stream in
 * memory.
 *
 * Facts of node:tls that this rests on, the same in Node 20 to 26: a pushed record goes through OpenSSL before push
 * returns, and so do its data ('data') and the end of the handshake ('secureConnection'); what TLS has to say may be held
 * back until the stream is idle (tls-wire.ts); `end` of the client comes one process.nextTick later, errors too.
 */
import type { TLSSocket } from 'node:tls';
import { tlsRecordAt } from '../../formats/tls-record.ts';
import type { AcceptedConnection, TlsAcceptor } from './tls-acceptor.ts';
import { TlsWire } from './tls-wire.ts';

/** What one record of the client gave. */
export interface ReadRecord {
  /** Data, perhaps none. */
  readonly data: Buffer;
  /** Records to send. */
  readonly output: Buffer;
}

const nothing = Buffer.alloc(0);

export class TlsEngine implements AcceptedConnection {
  readonly #acceptor: TlsAcceptor;
  readonly #wire = new TlsWire();
  #begun = false;
  #socket: TLSSocket | undefined;
  #data: Buffer[] = [];
  #error: Error | undefined;
  #ended = false;
  #refusedCertificate: string | undefined;

  constructor(acceptor: TlsAcceptor) {
    this.#acceptor = acceptor;
  }

  /** The connection, once its handshake is done. */
  get socket(): TLSSocket | undefined {
    return this.#socket;
  }

  /** Why TLS gave up. It may have given up without an error. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Why Node does not trust the client's certificate (`tls.TLSSocket.authorizationError`), if that is why it gave up. */
  get refusedCertificate(): string | undefined {
    return this.#refusedCertificate;
  }

  /** TLS has given up. */
  get failed(): boolean {
    return this.#error !== undefined || this.#wire.gone;
  }

  /** The client has closed its side (close_notify). */
  get ended(): boolean {
    return this.#ended;
  }

  /** Begins. Must have ended before the first record is read; undefined if it has. */
  begin(): Promise<void> | undefined {
    if (this.#begun) return undefined;
    this.#begun = true;
    this.#acceptor.connect(this.#wire);
    return new Promise<void>((resolve) => {
      process.nextTick(resolve);
    });
  }

  /**
   * Reads records of the handshake, each alone: what follows the one that ends the handshake is a message.
   *
   * @param token it must not change until `output` has settled
   * @returns how many bytes were read
   * @throws MalformedTokenError if what follows is no TLS
   */
  handshake(token: Uint8Array): number {
    let read = 0;
    this.#acceptor.handshake(this, this.#wire, () => {
      while (this.#socket === undefined) {
        const { end } = tlsRecordAt(token, read);
        if (end === undefined) break;
        this.#wire.push(token.subarray(read, end));
        read = end;
      }
    });
    return read;
  }

  /** What is to be sent after the records of a leg. */
  async output(): Promise<Buffer> {
    await this.#wire.idle();
    return this.#wire.takeOutput();
  }

  /** Reads one record after the handshake. At once if it has data, which is nearly always. */
  read(record: Uint8Array): ReadRecord | Promise<ReadRecord> {
    const { writes } = this.#wire;
    this.#wire.push(record);
    if (this.#data.length > 0 && this.#wire.writes === writes) return { data: this.#takeData(), output: nothing };
    return this.output().then((output) => ({ data: this.#takeData(), output }));
  }

  #takeData(): Buffer {
    const data = this.#data;
    if (data.length === 0) return nothing;
    this.#data = [];
    const [first = nothing] = data;
    return data.length === 1 ? first : Buffer.concat(data);
  }

  /**
   * Writes data in one record. At once, if nothing was written in this turn of the event loop.
   *
   * @param data at most 16384 bytes
   */
  write(data: Uint8Array): Buffer | Promise<Buffer> {
    const socket = this.#socket;
    if (socket === undefined) return nothing;
    const { writes } = this.#wire;
    // What waits is written later: the caller may change its buffer by then.
    socket.write(socket.writableLength > 0 ? Buffer.from(data) : data);
    return this.#wire.writes > writes ? this.#wire.takeOutput() : this.output();
  }

  /** Closes the server's side: gives the close_notify. */
  async close(): Promise<Buffer> {
    this.#socket?.end();
    return await this.output();
  }

  established(socket: TLSSocket): void {
    this.#socket = socket;
    socket.on('data', (data: Buffer) => this.#data.push(data));
    socket.on('end', () => (this.#ended = true));
    socket.on('error', (error: Error) => (this.#error ??= error));
  }

  handshakeFailed(error: Error): void {
    this.#error ??= error;
  }

  certificateRefused(code: string): void {
    this.#refusedCertificate = code;
  }

  /** Lets go of everything. Nothing may be called afterwards. */
  destroy(): void {
    for (const data of this.#data) data.fill(0);
    this.#data = [];
    (this.#socket ?? this.#wire).destroy();
  }
}
