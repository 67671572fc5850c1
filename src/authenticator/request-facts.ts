/** What every record of the log says of its request: its id, its method and its path. */
import { printable } from '../foundation/text.ts';
import { peerOf } from '../http/exchange.ts';
import type { Exchange } from '../http/exchange.ts';
import { methodOf } from '../http/request-line.ts';

/** The request of a record. A field is left out where nothing is known of it. */
export interface RequestFacts {
  /**
   * The id that the application's log has for the request: `id` of Fastify's request, the one that pino-http
   * sets, or Hono's variable `requestId`.
   */
  readonly requestId?: string | number;
  readonly method?: string;
  /** Path of the request target, without its query. Control characters are escaped, and a long path is cut. */
  readonly path?: string;
}

const MAX_ID = 128;
const MAX_PATH = 512;

/**
 * The facts of a request, for the log.
 *
 * @param request the framework's request
 * @param target gives the request target as sent on the wire
 */
export function requestFacts(exchange: Exchange, request: unknown, target: () => unknown): RequestFacts {
  const requestId = idOf(request) ?? idOf(exchange);
  const path = pathOf(target);
  return {
    ...(requestId === undefined ? undefined : { requestId }),
    method: printable(methodOf(exchange), 32),
    ...(path === undefined ? undefined : { path }),
  };
}

/** `address:port` of a request's client; undefined if the request has no connection. */
export function peerOfRequest({ socket }: Exchange): string | undefined {
  return typeof socket === 'object' && (socket as unknown) !== null ? peerOf(socket) : undefined;
}

function idOf(request: unknown): string | number | undefined {
  try {
    const { id: own, var: variables } = (request ?? {}) as {
      readonly id?: unknown;
      readonly var?: { readonly requestId?: unknown };
    };
    const id = own ?? variables?.requestId;
    if (typeof id === 'number') return id;
    return typeof id === 'string' && id !== '' ? printable(id, MAX_ID) : undefined;
  } catch {
    return undefined;
  }
}

/** A target in absolute form has its path as well (RFC 9112 section 3.2.2). */
function pathOf(target: () => unknown): string | undefined {
  try {
    const text = target();
    if (typeof text !== 'string' || text === '') return undefined;
    const path = text.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
    return printable(path, MAX_PATH);
  } catch {
    return undefined;
  }
}
