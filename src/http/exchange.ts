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
  /** Names and values alternating, as received. */
  readonly rawHeaders: readonly string[];
  readonly httpVersionMajor: number;
  /** False while the body is arriving. */
  readonly complete?: boolean;
  once?(event: 'end', listener: () => void): unknown;
}
