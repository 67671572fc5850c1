/** The authenticator's decision about one request, as a value. An adapter only carries it into its framework. */
import type { Identity } from '../identity/identity.ts';
import type { SecurityContextInfo } from '../identity/security-context-info.ts';

/** A header field of the response. Several values are several fields of the same name. */
export type HeaderField = readonly [name: string, value: string | readonly string[]];

/** The handler may run, as this user. */
export interface AuthenticatedOutcome {
  readonly type: 'authenticated';
  readonly user: Identity;
  /** How the user was authenticated; undefined if the application did that itself (option `otherSchemes`). */
  readonly sspi: SecurityContextInfo | undefined;
  /** To set on the handler's response: the last token of the handshake, and Persistent-Auth. Usually empty. */
  readonly headers: readonly HeaderField[];
  /**
   * The identity is that of the connection, and the client need not be told anything. If true, an adapter may run the
   * handler at once, without writeOutcome.
   */
  readonly standing: boolean;
}

/** The outcome of each further request on a signed-in connection. */
export interface StandingOutcome extends AuthenticatedOutcome {
  readonly sspi: SecurityContextInfo;
  readonly headers: readonly [];
  readonly standing: true;
}

/** Whether the handler may run at once: see AuthenticatedOutcome.standing. */
export function isStanding(outcome: Outcome | Promise<Outcome>): outcome is StandingOutcome {
  return !(outcome instanceof Promise) && outcome.type === 'authenticated' && outcome.standing;
}

/** The handler may run without a user, because of `anonymous` or `skip`. */
export interface AnonymousOutcome {
  readonly type: 'anonymous';
  /** To set on the handler's response: where another client gets another answer, Vary. */
  readonly headers: readonly HeaderField[];
}

/** The handler may not run: the client is asked for credentials, or for the next token. */
export interface ChallengeOutcome {
  readonly type: 'challenge';
  readonly status: 401;
  /**
   * The challenge answers a token. The client must send its next token on this connection, so it must not be closed.
   */
  readonly continuesHandshake: boolean;
  readonly headers: readonly HeaderField[];
  readonly body: string;
}

/**
 * The handler may not run. 401: the client did not prove who it is; the response is the same as a challenge, to the
 * byte. 400: the request is malformed. 403: `authorize` said no. 429: there were too many requests; nothing gives it
 * yet. 500: a function of the operator failed. 503: an account source is away.
 */
export interface RefusedOutcome {
  readonly type: 'refused';
  readonly status: 400 | 401 | 403 | 429 | 500 | 503;
  /** When the client may try again, in seconds. */
  readonly retryAfter?: number;
  readonly headers: readonly HeaderField[];
  readonly body: string;
}

/**
 * The handler may not run, although the client has signed in: this request only ended the handshake. Later requests of
 * the connection say what its user wants, in encrypted bodies (CredSSP without TLS).
 */
export interface SignedInOutcome {
  readonly type: 'signedIn';
  readonly status: 200;
  readonly headers: readonly HeaderField[];
  /** Empty. */
  readonly body: string;
}

/** One request's outcome. */
export type Outcome = AuthenticatedOutcome | AnonymousOutcome | SignedInOutcome | ChallengeOutcome | RefusedOutcome;

/**
 * The answer depends on who asks. RFC 9111 section 3.5 keeps shared caches from an answer to a request with
 * Authorization, but not where the handler says `public`. Section 4.1: no cache gives such an answer to a request
 * without the same Authorization (attack A23).
 */
export const VARIES_BY_CREDENTIALS: HeaderField = Object.freeze(['Vary', 'Authorization'] as const);

/** Of a request without credentials, where `anonymous` lets it in. */
export const anonymousOutcome: AnonymousOutcome = Object.freeze({
  type: 'anonymous',
  headers: Object.freeze([VARIES_BY_CREDENTIALS]),
});

/** Of a request that `skip` lets pass: whatever its credentials, they are not looked at. */
export const skippedOutcome: AnonymousOutcome = Object.freeze({ type: 'anonymous', headers: Object.freeze([]) });

const texts = {
  400: '400 Bad Request\n',
  401: '401 Unauthorized\n',
  403: '403 Forbidden\n',
  429: '429 Too Many Requests\n',
  500: '500 Internal Server Error\n',
  503: '503 Service Unavailable\n',
} as const;

/** Fields of every response that this library writes itself. No cache may store it: RFC 9111 section 5.2.2.5. */
function ownFields(body: string): readonly HeaderField[] {
  return [
    ['Cache-Control', 'no-store'],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(Buffer.byteLength(body))],
  ];
}

/**
 * A 401 that asks for credentials.
 *
 * @param challenges values of WWW-Authenticate
 * @param continuesHandshake the challenge answers a token of the client
 */
export function challengeOutcome(challenges: readonly string[], continuesHandshake = false): ChallengeOutcome {
  const body = texts[401];
  const headers: HeaderField[] = [...ownFields(body)];
  if (challenges.length > 0) headers.unshift(['WWW-Authenticate', challenges]);
  return { type: 'challenge', status: 401, continuesHandshake, headers, body };
}

/** The connection is signed in; the request is answered with 200 and an empty body. */
export function signedInOutcome(headers: readonly HeaderField[]): SignedInOutcome {
  return {
    type: 'signedIn',
    status: 200,
    headers: [['Cache-Control', 'no-store'], ['Content-Length', '0'], ...headers],
    body: '',
  };
}

/**
 * A refusal. For 401, pass the challenges, so that the response is the same as a challenge, to the byte.
 *
 * @param retryAfter when the client may try again, in seconds: RFC 9110 section 10.2.3
 */
export function refusedOutcome(
  status: RefusedOutcome['status'],
  challenges: readonly string[] = [],
  retryAfter?: number,
): RefusedOutcome {
  const body = texts[status];
  const headers = status === 401 ? challengeOutcome(challenges).headers : ownFields(body);
  if (retryAfter === undefined) return { type: 'refused', status, headers, body };
  return { type: 'refused', status, retryAfter, headers: [['Retry-After', String(retryAfter)], ...headers], body };
}
