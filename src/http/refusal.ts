/** Refusals as the application sees them, where it writes their body itself (option `refuse`). */
import { SspiAuthError } from '../foundation/errors.ts';
import type { ChallengeOutcome, HeaderField, Outcome, RefusedOutcome, SignedInOutcome } from './outcome.ts';

/** A refusal. It never says why: whoever shows a reason tells an attacker what to change. */
export interface Refusal {
  /**
   * 401: the client has not proved who it is. 403: its user may not come in. 429: too many requests. 500: a function of
   * the application failed. 503: who would verify the client is away.
   */
  readonly status: 401 | 403 | 429 | 500 | 503;
  /** When the client may try again, in seconds. */
  readonly retryAfter?: number;
}

/** The response to send for a request whose handler may not run. */
export interface RefusalResponse {
  readonly status: (SignedInOutcome | ChallengeOutcome | RefusedOutcome)['status'];
  readonly headers: readonly HeaderField[];
  readonly body: string | Buffer;
  /** The client's body is longer than the limit. Send the response with `endAndClose`, which closes the connection. */
  readonly closes: boolean;
  /**
   * Send the response when this is settled, unless it has been answered or closed by then; undefined: at once. It never
   * rejects.
   */
  readonly ready: Promise<void> | undefined;
}

/**
 * The refusal of an outcome. Undefined: the handler may run, or this library answers by itself. That are the legs of a
 * handshake, which only the client's security package reads, and malformed requests.
 */
export function refusalOf(outcome: Outcome): Refusal | undefined {
  if (outcome.type === 'challenge') return outcome.continuesHandshake ? undefined : Object.freeze({ status: 401 });
  if (outcome.type !== 'refused' || outcome.status === 400) return undefined;
  const { status, retryAfter } = outcome;
  return Object.freeze({ status, ...(retryAfter === undefined ? undefined : { retryAfter }) });
}

const texts = {
  401: 'Unauthorized',
  403: 'Forbidden',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;

/**
 * A refusal as an error, for the error handlers of a framework (`refuse: 'error'`). Has the fields that Express, Fastify,
 * Koa and Nest read: `status`, `statusCode`, `expose`.
 */
export class RefusalError extends SspiAuthError {
  readonly status: Refusal['status'];
  readonly statusCode: Refusal['status'];
  /** Whether a client may read the message, as http-errors has it. */
  readonly expose: boolean;
  readonly retryAfter: number | undefined;

  constructor({ status, retryAfter }: Refusal) {
    super('ERR_SSPI_AUTH_REFUSED', texts[status]);
    this.name = 'RefusalError';
    this.status = status;
    this.statusCode = status;
    this.expose = status < 500;
    this.retryAfter = retryAfter;
  }
}
