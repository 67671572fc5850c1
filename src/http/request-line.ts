/**
 * Method and target as they were on the wire (RFC 9112 section 3). An application may change `method` and `url` of a
 * request before it is verified (method-override, rewriting). The credentials of Digest cover what the client sent: RFC
 * 7616 section 3.4.3 (attacks E07, E08).
 */
import { EventEmitter } from 'node:events';
import type { ConnectionSocket, Exchange } from './exchange.ts';

/** What the client sent. */
interface RequestLine {
  readonly method: string | undefined;
  readonly target: string | undefined;
}

/** Property of a request with its RequestLine. */
const requestLine = Symbol('sspi-auth request line');

type Recorded = Pick<Exchange, 'method' | 'url' | 'originalMethod'> & { [requestLine]?: RequestLine };

/** Servers that record the line of each request before any handler sees it. */
const recording = new WeakSet();

/**
 * Makes the server of a connection record the line of its further requests, before the application changes it. Only for
 * servers whose requests are verified here, and only where Digest is offered: its credentials answer a challenge, so
 * their request comes after this call.
 */
export function recordRequestLines(socket: ConnectionSocket): void {
  const { server } = socket as { readonly server?: unknown };
  // A server without listeners of its own would take a first one for its application.
  if (!(server instanceof EventEmitter) || recording.has(server) || server.listenerCount('request') === 0) return;
  recording.add(server);
  server.prependListener('request', (message: Recorded) => {
    message[requestLine] = { method: message.method, target: message.url };
  });
}

/**
 * The method that the client sent. If it was not recorded, the one that `originalMethod` keeps, as method-override and
 * others that change `method` do.
 */
export function methodOf(exchange: Exchange): string {
  const recorded = (exchange as Recorded)[requestLine];
  return recorded?.method ?? exchange.originalMethod ?? exchange.method ?? '';
}

/**
 * The request target that the client sent.
 *
 * @param given what the adapter takes for it. It counts, unless it is only the `url` that somebody has changed
 */
export function targetOf(exchange: Exchange, given: string): string {
  const recorded = (exchange as Recorded)[requestLine];
  return given === exchange.url ? (recorded?.target ?? given) : given;
}
