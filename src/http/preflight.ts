/**
 * CORS preflights (Fetch Standard, section "CORS-preflight request"): what a browser sends before some requests to
 * another origin. A browser never sends credentials with it, so one that gets 401 ends the request that it is for.
 */
import { fieldValue } from './request-fields.ts';

/** The part of a request that tells a preflight. The requests of node:http, Express and Fastify fit. */
export interface PreflightRequest {
  readonly method?: string | undefined;
  /** Values by their names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Whether a request is a CORS preflight: OPTIONS with Origin and Access-Control-Request-Method. For option `skip`, where
 * the application answers preflights itself:
 *
 * ```ts
 * app.use(cors({ origin: 'https://app.example.com', credentials: true }));
 * app.use(sspiAuth({ keytab, skip: isPreflight }));
 * ```
 *
 * Anybody can send such a request. It reaches the handlers for OPTIONS without a user, so that these must not do
 * anything else than answer it.
 *
 * @param request what option `skip` is given
 */
export function isPreflight({ method, headers }: PreflightRequest): boolean {
  return method === 'OPTIONS' && isGiven(headers['origin']) && isGiven(headers['access-control-request-method']);
}

function isGiven(value: string | readonly string[] | undefined): boolean {
  return value !== undefined && value !== '';
}

/**
 * Where the page comes from that a preflight is sent for.
 *
 * @returns undefined if the request is no preflight
 */
export function preflightOrigin(request: {
  readonly method?: string | undefined;
  readonly rawHeaders: readonly string[];
}): string | undefined {
  if (request.method !== 'OPTIONS') return undefined;
  const headers = {
    origin: fieldValue(request.rawHeaders, 'origin'),
    'access-control-request-method': fieldValue(request.rawHeaders, 'access-control-request-method'),
  };
  return isPreflight({ method: request.method, headers }) ? headers.origin : undefined;
}
