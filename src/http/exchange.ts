/** One request on one connection, without its body: the unit that is verified. */

/** The part of net.Socket that a connection needs. */
export interface ConnectionSocket {
  readonly destroyed?: boolean;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  on(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

/**
 * `address:port` of the client, an IPv6 address in brackets (RFC 3986 section 3.2.2); undefined if the connection does
 * not know it. Call this only for output such as a log line: Node then asks the system and stores the answer on the
 * socket. That gives the socket another hidden class than sockets that were never asked.
 */
export function peerOf({ remoteAddress, remotePort }: ConnectionSocket): string | undefined {
  if (remoteAddress === undefined) return undefined;
  const host = remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress;
  return `${host}:${remotePort ?? ''}`;
}

/** The parts of a request that are used. node:http's IncomingMessage fits. */
export interface Exchange {
  /** The connection. Its state is keyed by this object. */
  readonly socket: ConnectionSocket;
  readonly method?: string | undefined;
  /** The method that the client sent, where something like method-override has changed `method`. */
  readonly originalMethod?: string | undefined;
  /** The request target, unless the application has changed it. */
  readonly url?: string | undefined;
  /** Names and values alternating, as received. */
  readonly rawHeaders: readonly string[];
  readonly httpVersionMajor: number;
  /** False while the body is arriving. */
  readonly complete?: boolean;
  once?(event: 'end', listener: () => void): unknown;
}

/** Whether a request has a socket. Those that a test or a serverless platform makes may have none. */
export function hasConnection(exchange: Exchange): boolean {
  const socket: unknown = exchange.socket;
  return typeof socket === 'object' && socket !== null;
}

/**
 * A request that has no connection, in a form that can be verified. Only schemes that are bound to a request are for it,
 * as with HTTP/2.
 */
export function withoutConnection(exchange: Exchange): Exchange {
  const { method, originalMethod, url } = exchange;
  const rawHeaders: readonly string[] | undefined = exchange.rawHeaders;
  // What stands for its connection is its own, and never closes.
  const socket: ConnectionSocket = { on: () => undefined, off: () => undefined };
  return { socket, method, originalMethod, url, rawHeaders: rawHeaders ?? [], httpVersionMajor: 0 };
}
