/** What a connection remembers of the session cookie of its last request. */
import type { AuthenticatedOutcome, StandingOutcome } from '../http/outcome.ts';
import type { SessionKeys } from '../sessions/ended-sessions.ts';

/** A sign-in that may be ended before its time. */
export interface SignIn {
  readonly keys: SessionKeys;
  /** EndedSessions.epoch when it was looked up there. */
  epoch: number;
  /** When the store was asked for it (Clock.elapsed()). */
  checkedAt: number;
  /** The store is being asked. */
  checking: boolean;
  ended: boolean;
}

/** A cookie that was opened. */
export interface OpenSession {
  readonly signIn: SignIn;
  /** Of a request that came straight from its client. */
  readonly outcome: StandingOutcome;
  /** Of one that came through a proxy: its cache is told that the answer is for this cookie. */
  readonly carried: AuthenticatedOutcome;
  /** When it ends, by the time of day, in milliseconds since 1970-01-01 UTC. */
  readonly expiresAt: number;
  /** The same by a clock that is never set (Clock.elapsed()). */
  readonly endsAt: number;
  /** When its cookie is to be sealed anew (Clock.elapsed()). */
  readonly refreshAt: number;
  /** Whether the account may still be signed in. Undefined: nobody can tell. */
  readonly isCurrent: (() => boolean) | undefined;
  askAgainAt: number;
  /** The round in which all this was examined (examination-round.ts). */
  round: number;
}

/** What the last Cookie field of a connection said. */
export interface RememberedCookies {
  /** The whole field: as long as it stays the same, nothing in it is looked at again. */
  readonly field: string;
  /** Value of the session cookie. */
  readonly value: string | undefined;
  /** There is the mark of a sign-out. */
  readonly signedOut: boolean;
  /** Undefined: not opened yet, or worth nothing. */
  session: OpenSession | undefined;
  /** The cookie is worth nothing: its client was told to remove it. */
  worthless: boolean;
}
