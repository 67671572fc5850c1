/** Settings of the server of a connection that are an obstacle to integrated sign-on: see recommendedServerOptions. */
import { maxHeaderSize } from 'node:http';
import type { ConnectionSocket } from './exchange.ts';

/** Bytes. Below this, the Kerberos ticket of a user in many groups does not fit. */
export const LEAST_HEADER_SIZE = 32 * 1024;
/** Milliseconds. Below this, a sign-in of NTLM hardly outlives a page. */
export const LEAST_KEEP_ALIVE = 30_000;

/** The settings of a server that concern sign-on. */
export interface ServerSettings {
  /** The server, to know it again. */
  readonly server: object;
  /** Bytes. */
  readonly maxHeaderSize: number;
  /** Milliseconds; 0: connections stay open. Undefined: not known. */
  readonly keepAliveTimeout: number | undefined;
}

/** The settings of the server of a connection; undefined if it is none of node:http or node:https. */
export function serverSettingsOf(socket: ConnectionSocket): ServerSettings | undefined {
  const { server } = socket as { readonly server?: unknown };
  if (typeof server !== 'object' || server === null || !('keepAliveTimeout' in server)) return undefined;
  const given: { readonly maxHeaderSize?: unknown; readonly keepAliveTimeout?: unknown } = server;
  return {
    server,
    maxHeaderSize: typeof given.maxHeaderSize === 'number' ? given.maxHeaderSize : maxHeaderSize,
    keepAliveTimeout: typeof given.keepAliveTimeout === 'number' ? given.keepAliveTimeout : undefined,
  };
}
