/** One request on one connection, without its body: what is judged. */
import type { ConnectionSocket } from './connection.ts';

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
