/**
 * The state of one connection. It belongs to the socket object and to nothing else: not to an address, a port, a header
 * or an HTTP/2 session (attack A11, A13).
 */
import { systemClock } from '../foundation/clock.ts';
import { deleteSecurityContext } from '../sspi/index.ts';
import type { Clock, ContextHandle } from '../sspi/index.ts';
import type { Outcome, StandingOutcome } from '../http/outcome.ts';
import { whenEarlierAnswered } from '../http/earlier-requests.ts';
import { joinRound, NO_ROUND, ROUND_MILLISECONDS, rounds } from './examination-round.ts';
import { peerOf } from '../http/exchange.ts';
import type { ConnectionSocket, Exchange } from '../http/exchange.ts';
import type { SecurityContextInfo } from '../identity/security-context-info.ts';
import type { Interruption } from './interruption.ts';
import type { RememberedCookies } from './session-memory.ts';

/** A handshake is in progress. The client has the server's token, and must send its next one. */
export interface Negotiating {
  readonly type: 'negotiating';
  /** Lower case. */
  readonly scheme: string;
  readonly context: ContextHandle;
  /** Clock.elapsed() at the first leg. */
  readonly startedAt: number;
  /** The client was told to send its ClientHello again, so that a second one begins no other handshake (TLS 1.3). */
  readonly retriesHello?: boolean;
  /** It began while another handshake was pending on the connection. Only for the log. */
  readonly replaced?: boolean;
}

/** The connection is signed in. Requests without credentials are those of its user. */
export interface Authenticated {
  readonly type: 'authenticated';
  readonly outcome: StandingOutcome;
  /** The context, if it must live as long as the identity (impersonation, delegation). */
  readonly context: ContextHandle | undefined;
  /** When the ticket ends, in milliseconds since 1970-01-01 UTC. Infinity: there is none. */
  readonly expiresAt: number;
  /** When the identity ends, whatever its ticket says (Clock.elapsed()). */
  readonly endsAt: number;
  /**
   * Requests are those of its user only if the context has opened their encrypted body: the connection has no TLS, and
   * the scheme no other protection of requests (CredSSP).
   */
  readonly encryptedOnly?: boolean;
  /** Whether the account may still be signed in. Undefined: nobody can tell. */
  readonly isCurrent?: (() => boolean) | undefined;
}

/** Exactly one of these at a time. */
export type ConnectionPhase = { readonly type: 'idle' } | Negotiating | Authenticated;

const idle: ConnectionPhase = Object.freeze({ type: 'idle' });

/** State of one connection: its phase, and the requests that wait for the one that is being verified. */
export class Connection {
  // The fields that every request reads come first, so that they lie in one cache line of the processor.
  /** The outcome of an authenticated phase, until its identity has ended. */
  #standing: StandingOutcome | undefined;
  /** The round in which the identity was examined. */
  #round = NO_ROUND;
  /** The step that runs, or the last of those that wait; see `inTurn`. */
  #last: Promise<Outcome> | undefined;
  #phase: ConnectionPhase = idle;
  readonly #socket: ConnectionSocket | undefined;
  /** Called if the connection is reset while a verification runs; see `abandon`. */
  onAbandon: (() => void) | undefined;
  /** How often `abandon` was called: a verification that began before the last time is not wanted any more. */
  abandonments = 0;
  /** What the last Cookie field said, where there are sessions. */
  cookies: RememberedCookies | undefined;
  /** Whether a sign-in was not ended before its time. Given where there are sessions; it is then asked for each request. */
  holds: ((sspi: SecurityContextInfo) => boolean) | undefined;
  /** The account that a request-bound scheme (Digest) proved last. Only for the log. */
  lastRequestUser: string | undefined;
  /** How the last handshake ended before its last token; undefined if it did not. Only for the log. */
  interruption: Interruption | undefined;
  #stopWatching: (() => void) | undefined;
  /** When `isCurrent` is asked again (Clock.elapsed()), if the identity is examined more often. */
  #askAgainAt = -Infinity;
  /** The context of a request that signed in for itself only; see `retain`. */
  #retained: ContextHandle | undefined;
  /** The request that is being verified. */
  #verifying: Pick<Exchange, 'socket' | 'rawHeaders'> | undefined;

  /** @param socket tells the address of the client */
  constructor(socket?: ConnectionSocket) {
    this.#socket = socket;
  }

  /** `address:port` of the client (`peerOf`), for the log; undefined once the connection is closed. */
  get peer(): string | undefined {
    return this.#socket === undefined ? undefined : peerOf(this.#socket);
  }

  get phase(): ConnectionPhase {
    return this.#phase;
  }

  /** The request that is being verified, while its result is waited for. */
  get verifying(): Pick<Exchange, 'rawHeaders'> | undefined {
    return this.#verifying;
  }

  /** Whether a request is being verified, so that another has to wait (attack A12). */
  get busy(): boolean {
    return this.#last !== undefined;
  }

  /**
   * The outcome of a request without credentials; undefined if the connection is not signed in, or its identity has
   * ended: its ticket has expired, its time is over, or its account is not there any more.
   */
  standing(clock: Clock): StandingOutcome | undefined {
    const outcome = this.#standing;
    return outcome === undefined || this.#round === rounds.current ? outcome : this.#examine(clock);
  }

  /**
   * The outcome of a request with an encrypted body, on a connection that admits no others. It holds only if the context
   * opens that body. Undefined if the identity has ended.
   */
  standingEncrypted(clock: Clock): StandingOutcome | undefined {
    const phase = this.#phase;
    if (phase.type !== 'authenticated' || phase.encryptedOnly !== true) return undefined;
    this.#standing = phase.outcome;
    const outcome = this.#examine(clock);
    this.#standing = undefined;
    return outcome;
  }

  #examine(clock: Clock): StandingOutcome | undefined {
    const outcome = this.#standing;
    const phase = this.#phase;
    this.#standing = undefined;
    if (phase.type !== 'authenticated') return undefined;
    const elapsed = clock.elapsed();
    const left = Math.min(phase.expiresAt - clock.now(), phase.endsAt - elapsed);
    if (!(left > 0) || this.holds?.(phase.outcome.sspi) === false) return undefined;
    if (phase.isCurrent !== undefined && (this.#round !== NO_ROUND || elapsed >= this.#askAgainAt)) {
      if (!phase.isCurrent()) return undefined;
      this.#askAgainAt = elapsed + ROUND_MILLISECONDS;
    }
    this.#standing = outcome;
    // Rounds have the time of the system. By another clock, and in its last round, an identity is examined each time.
    const lasts = left > ROUND_MILLISECONDS && clock === systemClock && this.holds === undefined;
    this.#round = lasts ? joinRound() : NO_ROUND;
    return outcome;
  }

  /** Notes how the handshake of the connection ends, if one is pending. */
  interrupt(how: Interruption): void {
    if (this.#phase.type === 'negotiating') this.interruption = how;
  }

  /**
   * Enters a phase. The context of the previous phase is deleted, unless the new phase has the same context. If handlers
   * of earlier requests may act with it, that waits until these requests are answered.
   */
  enter(phase: ConnectionPhase): void {
    const before = this.#phase;
    const retained = this.#retained;
    this.#phase = phase;
    this.#standing = phase.type === 'authenticated' && phase.encryptedOnly !== true ? phase.outcome : undefined;
    this.#round = NO_ROUND;
    this.#askAgainAt = -Infinity;
    this.#retained = undefined;
    if (retained !== undefined) this.#deleteWhenUnused(retained);
    const context = contextOf(before);
    if (context === undefined || context === contextOf(phase)) return;
    if (before.type === 'authenticated') this.#deleteWhenUnused(context);
    else deleteSecurityContext(context);
  }

  /** Deletes a context that was handed to handlers. */
  #deleteWhenUnused(context: ContextHandle): void {
    const drop = (): number => deleteSecurityContext(context);
    if (this.#verifying === undefined) drop();
    else whenEarlierAnswered(this.#verifying, drop);
  }

  /**
   * Keeps the context of a request that signed in for itself only, so that its handler can act as its user. The context
   * is deleted when the next request of the connection is verified and this one is answered, or when the connection
   * ends.
   */
  retain(context: ContextHandle): void {
    // After a handshake of several legs, this is the context of the current phase. `reset` must not delete it.
    if (contextOf(this.#phase) === context) this.#phase = idle;
    this.reset();
    this.#retained = context;
  }

  /** Back to idle. Context and identity are deleted. */
  reset(): void {
    this.enter(idle);
  }

  /** Back to idle. A request that waits for its verification on this connection is refused. */
  abandon(): void {
    this.abandonments++;
    this.reset();
    const tell = this.onAbandon;
    this.onAbandon = undefined;
    tell?.();
  }

  /** Calls `closed` when the socket closes, until `unwatch`. */
  watch(socket: ConnectionSocket, closed: () => void): void {
    if (this.#stopWatching !== undefined) return;
    socket.on('close', closed);
    this.#stopWatching = () => socket.off('close', closed);
  }

  /** Undoes `watch`: nothing has to be released any more when the socket closes. */
  unwatch(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  /**
   * Runs a step after the steps before it have ended. If there are none and the step is synchronous, no promise is
   * made.
   *
   * @param exchange the request that the step verifies
   */
  inTurn(
    step: () => Outcome | Promise<Outcome>,
    exchange?: Pick<Exchange, 'socket' | 'rawHeaders'>,
  ): Outcome | Promise<Outcome> {
    const verify = (): Outcome | Promise<Outcome> => {
      this.#verifying = exchange;
      return step();
    };
    const result = this.#last === undefined ? verify() : this.#last.then(verify, verify);
    if (!(result instanceof Promise)) {
      // A signed-in connection must not keep the request that signed it in.
      this.#verifying = undefined;
      return result;
    }
    const settled = result.finally(() => {
      this.#verifying = undefined;
      if (this.#last === settled) this.#last = undefined;
    });
    this.#last = settled;
    return settled;
  }
}

function contextOf(phase: ConnectionPhase): ContextHandle | undefined {
  return phase.type === 'idle' ? undefined : phase.context;
}
