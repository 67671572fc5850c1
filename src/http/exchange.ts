/** One request on one connection, without its body: what is verified. */

/** The part of net.Socket that a connection needs. */
export interface ConnectionSocket {
  readonly destroyed?: boolean;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  on(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

/**
 * `address:port` of the client, where the connection knows it. To be asked only where somebody is told: Node asks the system
 * for it and keeps it on the socket, which has another hidden class from then on than those that nobody asked.
 */
export function peerOf({ remoteAddress, remotePort }: ConnectionSocket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress}:${remotePort ?? ''}`;
}

/** What of a request is looked at; node:http's IncomingMessage is one. */
export interface Exchange {
  /** The connection. Its state hangs on this very object. */
  readonly socket: ConnectionSocket;
  readonly method?: string | undefined;
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[];
  readonly httpVersionMajor: number;
  /** False while the body is arriving. */
  readonly complete?: boolean;
  once?(event: 'end', listener: () => void): unknown;
}
