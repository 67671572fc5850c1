/**
 * A client connection that costs little, for sign-ins that each want a connection of their own: requests are prepared
 * bytes, responses are looked at no further than needed. What it costs is the same for both sides of a comparison.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { ntlmAnswer, ntlmField, ntlmFirst } from './ntlm-sign-in.ts';

const plainRequest = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
const firstRequest = ntlmRequest(ntlmFirst);

function ntlmRequest(token: Uint8Array): Buffer {
  const field = `Authorization: ${ntlmField(token)}`;
  return Buffer.from(`GET / HTTP/1.1\r\nHost: localhost\r\n${field}\r\n\r\n`);
}

/** One connection to a measured server. */
export class LoadConnection {
  readonly #socket: Socket;
  #received = '';
  #settle: ((response: string) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', (error) => this.#fail?.(error));
    socket.on('close', () => this.#fail?.(new Error('the server closed a measured connection')));
  }

  static async open(port: number): Promise<LoadConnection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new LoadConnection(socket);
  }

  /** A GET without credentials; gives the head and body of the response. */
  request(bytes: Uint8Array = plainRequest): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
      this.#socket.write(bytes);
    });
  }

  /** Both legs of NTLMv2. @returns the last response @throws Error where the server does not answer 200 */
  async signIn(): Promise<string> {
    const challenged = await this.request(firstRequest);
    const challenge = /www-authenticate: (NTLM [\w+/=]+)/i.exec(challenged)?.[1] ?? '';
    const response = await this.request(ntlmRequest(ntlmAnswer(challenge)));
    expectSuccess(response);
    return response;
  }

  close(): void {
    this.#fail = undefined;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /content-length: (\d+)/i.exec(this.#received)?.[1];
    // express-ntlm's 401 comes without a length, in chunks.
    const whole =
      length === undefined ? this.#received.endsWith('0\r\n\r\n') : this.#received.length >= end + 4 + Number(length);
    if (!whole) return;
    const response = this.#received;
    this.#received = '';
    this.#settle?.(response);
  }
}

/** @throws Error where a response is not 200 */
export function expectSuccess(response: string): void {
  if (!response.startsWith('HTTP/1.1 200')) throw new Error(`measured server answered ${response.slice(0, 200)}`);
}
