/**
 * The body of a request that is answered before its body is read. Unread bytes would be taken for the next request of
 * the connection (attack A15). So they are read and discarded up to a limit. Above the limit the connection is closed,
 * in a way that lets the client read the response: RFC 9112 section 9.6.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { peerOf } from './exchange.ts';

/** How much of a request's body is read and discarded, in bytes. */
export interface BodyLimits {
  /** For a response that this library writes itself. */
  readonly discardedBodyBytes: number;
  /** For a response that continues a handshake, if this limit is higher. */
  readonly handshakeBodyBytes: number;
}

/** RFC 9113 section 7. Not from node:http2, which takes time to load and which most servers have no use for. */
const NO_ERROR = 0;

/** How long a closing connection is read from, in milliseconds: altogether, and while nothing arrives. */
const LINGER_MILLISECONDS = 30_000;
const LINGER_IDLE_MILLISECONDS = 5000;

/**
 * How long the first byte of a body may take after the fields, in milliseconds. Some clients announce a body and send
 * none until they have the challenge.
 */
const FIRST_BYTE_MILLISECONDS = 50;
/** How long a body may pause, in milliseconds, and how long a client that got `100 Continue` may take to begin. */
const PAUSE_MILLISECONDS = 2000;

/**
 * The length that a request announces for its body, in bytes (RFC 9112 section 6): 0 for no body, undefined for a
 * chunked one.
 *
 * @param rawHeaders names and values alternating
 */
export function announcedLength(rawHeaders: readonly string[]): number | undefined {
  let length = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase();
    if (name === 'transfer-encoding') return undefined;
    if (name === 'content-length') length = Number(rawHeaders[index + 1]);
  }
  return length;
}

/** The limit for a leg that is answered with a challenge, after which its handshake goes on. */
export function legBodyBytes({ discardedBodyBytes, handshakeBodyBytes }: BodyLimits): number {
  return Math.max(discardedBodyBytes, handshakeBodyBytes);
}

/** Sockets that were closed because more of a body arrived than its limit. */
const overrun = new WeakSet<object>();

/** Whether a connection was closed because more of a body arrived than its limit. */
export function wasOverrun(socket: object): boolean {
  return overrun.has(socket);
}

/**
 * Reads and discards the rest of a request's body. If the connection is closed after the response, whoever wants that,
 * the client can read the response all the same: the connection is read from until the body has arrived, or for
 * LINGER_MILLISECONDS.
 *
 * @param limit in bytes; if more arrives, the connection is destroyed, or the stream of HTTP/2 is closed
 * @returns false if the body is announced to be longer than the limit: the connection must then be closed with the
 *   response
 */
export function discardBody(message: IncomingMessage, limit: number): boolean {
  const announced = announcedLength(message.rawHeaders ?? []);
  if (message.complete || announced === 0) return true;
  let left = limit;
  message.on('data', (chunk: Buffer) => {
    left -= chunk.byteLength;
    if (left >= 0) return;
    overrun.add(message.socket);
    // For the log: Node keeps the address of a socket that was asked for it before it was closed.
    peerOf(message.socket);
    endRequest(message);
  });
  // The client disconnected while it sent its body. There is nobody left to tell.
  message.on('error', () => undefined);
  if (message.httpVersionMajor === 1) lingerAtClose(message);
  return announced === undefined || announced <= limit;
}

/**
 * While the body of a request arrives, closes its connection in two steps: first only the server's side, so that the
 * client reads the response and then the end; later all of it. A connection that is closed while unread bytes wait is
 * reset, and the client may lose a response that it has not read yet.
 *
 * Node closes a connection after its last response by `socket.destroySoon`, which closes both sides. So this socket gets
 * a `destroySoon` of its own until the body has arrived.
 */
function lingerAtClose(message: IncomingMessage): void {
  const { socket } = message;
  if (!(socket instanceof Socket)) return;
  const plain = (): void => Socket.prototype.destroySoon.call(socket);
  let closing = false;
  const lingering = (): void => {
    closing = true;
    socket.end();
    const destroy = (): void => void socket.destroy();
    let idle = setTimeout(destroy, LINGER_IDLE_MILLISECONDS).unref();
    const whole = setTimeout(destroy, LINGER_MILLISECONDS).unref();
    message.on('data', () => {
      clearTimeout(idle);
      idle = setTimeout(destroy, LINGER_IDLE_MILLISECONDS).unref();
    });
    socket.once('close', () => {
      clearTimeout(idle);
      clearTimeout(whole);
    });
  };
  socket.destroySoon = lingering;
  message.once('end', () => {
    // The next request of the connection may have its own already.
    if (socket.destroySoon === lingering) socket.destroySoon = plain;
    if (closing) plain();
  });
}

/**
 * Waits for the body of a request that is being discarded, so that its client gets the response when it has sent all.
 * Some clients take a connection whose response comes earlier for one that cannot be used again (Node's own client), and
 * so lose a handshake. A client that sends nothing, or stops sending, is not waited for.
 *
 * @param invited the client was told `100 Continue` just now, so its body takes longer to begin
 * @returns undefined if there is nothing to wait for. The promise never rejects
 */
export function bodyArrival(message: IncomingMessage, invited: boolean): Promise<void> | undefined {
  if (message.complete || announcedLength(message.rawHeaders ?? []) === 0) return undefined;
  return new Promise((resolve) => {
    let timer = setTimeout(resolve, invited ? PAUSE_MILLISECONDS : FIRST_BYTE_MILLISECONDS).unref();
    message.on('data', () => {
      clearTimeout(timer);
      timer = setTimeout(resolve, PAUSE_MILLISECONDS).unref();
    });
    const over = (): void => {
      clearTimeout(timer);
      resolve();
    };
    message.once('end', over).once('close', over);
  });
}

/**
 * Sends the body of a response whose fields are set, and closes the connection as `discardBody` says, or the stream of
 * HTTP/2.
 */
export function endAndClose(message: IncomingMessage, response: ServerResponse, body: string | Buffer): void {
  if (message.httpVersionMajor === 2) {
    // Other streams must go on. RFC 9113 section 8.1: after a complete response, the server may close this request's
    // stream.
    response.end(body, () => endRequest(message));
    return;
  }
  response.setHeader('Connection', 'close');
  response.end(body);
}

/** Ends the stream of HTTP/2 of a request whose response is complete, although its body is still arriving. */
export function endStream(message: IncomingMessage): void {
  if (message.httpVersionMajor === 2) endRequest(message);
}

/** Stops reading a request: closes its stream of HTTP/2, or destroys its connection. */
function endRequest(message: IncomingMessage): void {
  const { stream } = message as { readonly stream?: { close(code: number): void } };
  if (message.httpVersionMajor === 2 && stream !== undefined) stream.close(NO_ERROR);
  else message.socket.destroy();
}
