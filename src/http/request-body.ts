/**
 * The body of a request that is answered without being read. Unread bytes would be taken for the next request of the
 * connection (attack A15), so they are read and thrown away up to a limit; past it the connection ends.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** How much of a request's body is read and thrown away, in bytes. */
export interface BodyLimits {
  /** For a response of our own. */
  readonly discardedBodyBytes: number;
  /** For one that goes on with a handshake, where this is more. */
  readonly handshakeBodyBytes: number;
}

/** RFC 9113 section 7. Not from node:http2, which takes time to load and which most servers have no use for. */
const NO_ERROR = 0;

/** How long a connection that is to end may go on sending, in milliseconds, so that its client can read the answer. */
const LINGER_MILLISECONDS = 2000;

/** The length of the body that a request announces: bytes, 0 for none, undefined for a chunked one. */
function announcedLength(message: IncomingMessage): number | undefined {
  const { 'transfer-encoding': coding, 'content-length': length } = message.headers;
  if (coding !== undefined) return undefined;
  return length === undefined ? 0 : Number(length);
}

/** Whether a request has a body (RFC 9112 section 6), given the names and values of its fields in turn. */
export function announcesBody(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some((name, index) => index % 2 === 0 && /^(?:content-length|transfer-encoding)$/i.test(name));
}

/**
 * Reads and throws away what is left of a request's body.
 *
 * @param limit how many bytes; past it the connection is destroyed, or the stream of HTTP/2
 * @returns false where the body is announced to be longer than that: then the connection has to end with the response
 */
export function discardBody(message: IncomingMessage, limit: number): boolean {
  const announced = announcedLength(message);
  if (message.complete || announced === 0) return true;
  let left = limit;
  message.on('data', (chunk: Buffer) => {
    left -= chunk.byteLength;
    if (left < 0) endRequest(message);
  });
  // The client went away in the middle of its body: nobody is left to tell.
  message.on('error', () => undefined);
  return announced === undefined || announced <= limit;
}

/**
 * Ends a response whose fields are set, and its connection with it. Closing at once would reset the connection before the
 * client has read the answer: the answer is whole without the end of the response, and that comes when the client has
 * stopped sending, or has had its time.
 */
export function endAndClose(message: IncomingMessage, response: ServerResponse, body: string | Buffer): void {
  if (message.httpVersionMajor === 2) {
    // Other streams go on: RFC 9113 section 8.1 has a whole response followed by the end of its own.
    response.end(body, () => endRequest(message));
    return;
  }
  response.setHeader('Connection', 'close');
  if (message.method === 'HEAD') response.flushHeaders();
  else response.write(body);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MILLISECONDS);
  timer.unref();
  message.once('end', end);
  message.once('close', end);
}

/** Nothing more is read of a request. */
function endRequest(message: IncomingMessage): void {
  const { stream } = message as { readonly stream?: { close(code: number): void } };
  if (message.httpVersionMajor === 2 && stream !== undefined) stream.close(NO_ERROR);
  else message.socket.destroy();
}
