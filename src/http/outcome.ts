/**
 * What the authenticator decided about one request, as a value. An adapter only carries it into its framework.
 */
import type { Identity } from '../identity/identity.ts';
import type { SecurityContextInfo } from '../identity/security-context-info.ts';

/** A header field of the response; several values are several fields of one name. */
export type HeaderField = readonly [name: string, value: string | readonly string[]];

/** The handler may run, as this user. */
export interface AuthenticatedOutcome {
  readonly type: 'authenticated';
  readonly user: Identity;
  readonly sspi: SecurityContextInfo;
  /** To set on the handler's response: the last token of the handshake, Persistent-Auth. Mostly empty. */
  readonly headers: readonly HeaderField[];
  /**
   * The connection answered alone, and nothing has to be said to the client: an adapter that looks at this may run the
   * handler at once, without writeOutcome.
   */
  readonly standing: boolean;
}

/** Of every request of a signed-in connection. */
export interface StandingOutcome extends AuthenticatedOutcome {
  readonly headers: readonly [];
  readonly standing: true;
}

/** Whether the handler may run at once: see AuthenticatedOutcome.standing. */
export function isStanding(outcome: Outcome | Promise<Outcome>): outcome is StandingOutcome {
  return !(outcome instanceof Promise) && outcome.type === 'authenticated' && outcome.standing;
}

/** The handler may run without a user: `anonymous` or `skip` said so. */
export interface AnonymousOutcome {
  readonly type: 'anonymous';
}

/** The handler may not run: the client is asked for credentials, or for the next token. */
export interface ChallengeOutcome {
  readonly type: 'challenge';
  readonly status: 401;
  /** The challenge answers a token: the client's next one has to come on this connection, so it must not be closed. */
  readonly continuesHandshake: boolean;
  readonly headers: readonly HeaderField[];
  readonly body: string;
}

/**
 * The handler may not run. 401 for whoever could not prove who it is, with the same bytes as a challenge; 400 for a
 * request that is not well-formed; 403 where `authorize` said no; 500 where the operator's own function failed.
 */
export interface RefusedOutcome {
  readonly type: 'refused';
  readonly status: 400 | 401 | 403 | 500;
  readonly headers: readonly HeaderField[];
  readonly body: string;
}

/** One request's outcome. */
export type Outcome = AuthenticatedOutcome | AnonymousOutcome | ChallengeOutcome | RefusedOutcome;

export const anonymousOutcome: AnonymousOutcome = Object.freeze({ type: 'anonymous' });

const texts = {
  400: '400 Bad Request\n',
  401: '401 Unauthorized\n',
  403: '403 Forbidden\n',
  500: '500 Internal Server Error\n',
} as const;

/** Fields of every response that this library writes itself. RFC 9111 section 5.2.2.5: nobody keeps these. */
function ownFields(body: string): readonly HeaderField[] {
  return [
    ['Cache-Control', 'no-store'],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(Buffer.byteLength(body))],
  ];
}

/**
 * A 401 that asks, with the WWW-Authenticate values given.
 *
 * @param continuesHandshake the challenge answers a token of the client
 */
export function challengeOutcome(challenges: readonly string[], continuesHandshake = false): ChallengeOutcome {
  const body = texts[401];
  const headers: HeaderField[] = [...ownFields(body)];
  if (challenges.length > 0) headers.unshift(['WWW-Authenticate', challenges]);
  return { type: 'challenge', status: 401, continuesHandshake, headers, body };
}

/** A refusal. For 401 give the challenges, so that it is the same as a challenge to the last byte. */
export function refusedOutcome(status: RefusedOutcome['status'], challenges: readonly string[] = []): RefusedOutcome {
  const body = texts[status];
  const headers = status === 401 ? challengeOutcome(challenges).headers : ownFields(body);
  return { type: 'refused', status, headers, body };
}
