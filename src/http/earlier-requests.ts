/**
 * Requests of one connection that came before another one and are not answered yet (pipelining, RFC 9112 section 9.3.2).
 * Their handlers may still act with what their sign-in holds.
 */
import type { ConnectionSocket, Exchange } from './exchange.ts';

/** The part of ServerResponse that is used. */
interface PendingResponse {
  readonly req?: unknown;
  once(event: 'close', listener: () => void): unknown;
}

/**
 * A socket of node:http. `_httpMessage` is the response that is written to it at the moment: the one of its oldest
 * request that is not answered. Node has no documented way to learn of it. Other sockets do not have it, and then no
 * request counts as earlier.
 */
type ServerSocket = ConnectionSocket & { readonly _httpMessage?: PendingResponse | null | undefined };

/**
 * Calls a function when every request before this one on its connection is answered, or when the connection has ended.
 * Where there is none, that is at once.
 */
export function whenEarlierAnswered(exchange: Pick<Exchange, 'socket'>, run: () => void): void {
  const socket = exchange.socket as ServerSocket;
  const oldest = socket._httpMessage;
  if (socket.destroyed === true || oldest === undefined || oldest === null || oldest.req === exchange) run();
  else oldest.once('close', () => whenEarlierAnswered(exchange, run));
}
