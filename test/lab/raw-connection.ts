/** One TCP connection on which a test writes requests by hand and reads whole responses: for what no client would send. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** One response, as received. */
export interface RawResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
  /** Every byte of it as latin1, status line and fields included. */
  readonly text: string;
}

/** A request in pieces; what is left out is `GET / HTTP/1.1` without a body. */
export interface RawRequest {
  readonly method?: string;
  readonly target?: string;
  /** Field lines without their line ends, beyond Host. */
  readonly fields?: readonly string[];
  readonly body?: string | Buffer;
}

/** Puts a request together. A body brings its Content-Length unless the fields have one or are chunked. */
export function requestText({ method = 'GET', target = '/', fields = [], body }: RawRequest): Buffer {
  const length =
    body === undefined || fields.some((field) => /^(content-length|transfer-encoding):/i.test(field))
      ? []
      : [`Content-Length: ${Buffer.byteLength(body)}`];
  const head = [`${method} ${target} HTTP/1.1`, 'Host: localhost', ...fields, ...length, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body ?? '')]);
}

/** A connection to a server on loopback. Destroyed at the end of its scope. */
export class RawConnection implements AsyncDisposable {
  readonly socket: Socket;
  #received = '';
  #ended = false;
  #wake: (() => void) | undefined;
  /** For each request that has no response yet, whether it was a HEAD. */
  readonly #heads: boolean[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake?.();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('end', end).on('close', end).on('error', end);
  }

  /** Connects; with TLS to a server whose certificate is not looked at, where asked to. */
  static async open(port: number, security: 'plain' | 'tls' = 'plain'): Promise<RawConnection> {
    const socket =
      security === 'tls'
        ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
        : connect(port, '127.0.0.1');
    const connection = new RawConnection(socket);
    await once(socket, security === 'tls' ? 'secureConnect' : 'connect');
    return connection;
  }

  /** Writes requests in one piece, so that they arrive pipelined. */
  send(...requests: readonly RawRequest[]): void {
    for (const { method } of requests) this.#heads.push(method === 'HEAD');
    this.socket.write(Buffer.concat(requests.map(requestText)));
  }

  /** Writes a request and waits for its response. */
  async exchange(request: RawRequest): Promise<RawResponse> {
    this.send(request);
    return this.response();
  }

  /**
   * The next response.
   *
   * @throws Error where the connection ends first
   */
  async response(): Promise<RawResponse> {
    for (;;) {
      const response = this.#take();
      if (response !== undefined) {
        if (response.status >= 200) this.#heads.shift();
        return response;
      }
      if (this.#ended) throw new Error(`connection ended after ${JSON.stringify(this.#received.slice(0, 200))}`);
      await this.#more();
    }
  }

  /** Waits until the server has closed the connection. */
  async ended(): Promise<void> {
    while (!this.#ended) await this.#more();
  }

  /** Whether the server has closed it. */
  get isEnded(): boolean {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.closed) return;
    const closed = once(this.socket, 'close');
    this.socket.destroy();
    await closed;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #take(): RawResponse | undefined {
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return undefined;
    const [statusLine = '', ...lines] = this.#received.slice(0, headEnd).split('\r\n');
    const status = Number(statusLine.split(' ')[1]);
    const headers = new Map<string, string[]>();
    for (const line of lines) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).toLowerCase();
      headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
    }
    const bodyless = status < 200 || status === 204 || status === 304 || this.#heads[0] === true;
    const start = headEnd + 4;
    let end = start;
    let body = '';
    if (!bodyless && headers.get('transfer-encoding')?.[0] === 'chunked') {
      const chunked = dechunk(this.#received, start);
      if (chunked === undefined) return undefined;
      ({ body, end } = chunked);
    } else if (!bodyless) {
      end = start + Number(headers.get('content-length')?.[0] ?? 0);
      if (this.#received.length < end) return undefined;
      body = this.#received.slice(start, end);
    }
    const text = this.#received.slice(0, end);
    this.#received = this.#received.slice(end);
    return { status, headers, body, text };
  }
}

function dechunk(text: string, start: number): { readonly body: string; readonly end: number } | undefined {
  let body = '';
  for (let at = start; ;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (text.length < next) return undefined;
    if (size === 0) return { body, end: next };
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = next;
  }
}
