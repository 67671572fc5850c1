/**
 * The body of a request that is answered before its body is read. Unread bytes would be taken for the next request of
 * the connection (attack A15). So they are read and discarded up to a limit. Above the limit the connection is closed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** How much of a request's body is read and discarded, in bytes. */
export interface BodyLimits {
  /** For a response that this library writes itself. */
  readonly discardedBodyBytes: number;
  /** For a response that continues a handshake, if this limit is higher. */
  readonly handshakeBodyBytes: number;
}

/** RFC 9113 section 7. Not from node:http2, which takes time to load and which most servers have no use for. */
const NO_ERROR = 0;

/**
 * How long a client may go on sending before its connection is closed, in milliseconds, so that it can read the
 * response.
 */
const LINGER_MILLISECONDS = 2000;

/** The length that a request announces for its body, in bytes: 0 for no body, undefined for a chunked one. */
function announcedLength(message: IncomingMessage): number | undefined {
  const { 'transfer-encoding': coding, 'content-length': length } = message.headers;
  if (coding !== undefined) return undefined;
  return length === undefined ? 0 : Number(length);
}

/**
 * Whether a request has a body (RFC 9112 section 6).
 *
 * @param rawHeaders names and values alternating
 */
export function announcesBody(rawHeaders: readonly string[]): boolean {
  return rawHeaders.some((name, index) => index % 2 === 0 && /^(?:content-length|transfer-encoding)$/i.test(name));
}

/**
 * Reads and discards the rest of a request's body.
 *
 * @param limit in bytes; if more arrives, the connection is destroyed, or the stream of HTTP/2 is closed
 * @returns false if the body is announced to be longer than the limit: the connection must then be closed with the
 *   response
 */
export function discardBody(message: IncomingMessage, limit: number): boolean {
  const announced = announcedLength(message);
  if (message.complete || announced === 0) return true;
  let left = limit;
  message.on('data', (chunk: Buffer) => {
    left -= chunk.byteLength;
    if (left < 0) endRequest(message);
  });
  // The client disconnected while it sent its body. There is nobody left to tell.
  message.on('error', () => undefined);
  return announced === undefined || announced <= limit;
}

/**
 * Sends the body of a response whose fields are set, and closes the connection. Closing at once would reset the
 * connection before the client has read the response. So the body is written, but the response is not ended yet: the
 * client already has all of it. It is ended when the client has stopped sending, or after LINGER_MILLISECONDS.
 */
export function endAndClose(message: IncomingMessage, response: ServerResponse, body: string | Buffer): void {
  if (message.httpVersionMajor === 2) {
    // Other streams must go on. RFC 9113 section 8.1: after a complete response, the server may close this request's
    // stream.
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

/** Stops reading a request: closes its stream of HTTP/2, or destroys its connection. */
function endRequest(message: IncomingMessage): void {
  const { stream } = message as { readonly stream?: { close(code: number): void } };
  if (message.httpVersionMajor === 2 && stream !== undefined) stream.close(NO_ERROR);
  else message.socket.destroy();
}
