/**
 * What one connection has come to. The state hangs on the socket object and on nothing else: not on an address, a port,
 * a header or an HTTP/2 session (attack A11, A13).
 */
import { deleteSecurityContext } from '../sspi/index.ts';
import type { Clock, ContextHandle } from '../sspi/index.ts';
import type { Outcome, StandingOutcome } from '../http/outcome.ts';
import { peerOf } from '../http/exchange.ts';
import type { ConnectionSocket } from '../http/exchange.ts';

/** A scheme's handshake is under way: the client holds our token and owes us its next. */
export interface Negotiating {
  readonly type: 'negotiating';
  /** Lower case. */
  readonly scheme: string;
  readonly context: ContextHandle;
  /** Clock.elapsed() at the first leg. */
  readonly startedAt: number;
}

/** Requests without credentials are this user's. */
export interface Authenticated {
  readonly type: 'authenticated';
  readonly outcome: StandingOutcome;
  /** The context, where it must live as long as the identity (impersonation, delegation). */
  readonly context: ContextHandle | undefined;
  /** Milliseconds since 1970 at which the identity ends; Infinity: with the connection. */
  readonly expiresAt: number;
}

/** Exactly one of these at a time. */
export type ConnectionPhase = { readonly type: 'idle' } | Negotiating | Authenticated;

const idle: ConnectionPhase = Object.freeze({ type: 'idle' });

/** State of one connection: its phase, and the requests that wait for the one that is being verified. */
export class Connection {
  // First what every request reads: it lies in one line of the processor's cache.
  /** The outcome of the phase, where that ends with its connection alone. */
  #lasting: StandingOutcome | undefined;
  #last: Promise<Outcome> | undefined;
  #phase: ConnectionPhase = idle;
  readonly #socket: ConnectionSocket | undefined;
  /** Called when the connection is reset under a verification that runs; see `abandon`. */
  onAbandon: (() => void) | undefined;
  /** Account that a request-bound scheme proved last; only for the log. */
  lastRequestUser: string | undefined;
  #stopWatching: (() => void) | undefined;
  /** The context of a request whose identity did not stay; see `retain`. */
  #retained: ContextHandle | undefined;

  /** @param socket where its peer can be asked for */
  constructor(socket?: ConnectionSocket) {
    this.#socket = socket;
  }

  /** `address:port` of the client, for the log; undefined once the connection is closed. */
  get peer(): string | undefined {
    return this.#socket === undefined ? undefined : peerOf(this.#socket);
  }

  get phase(): ConnectionPhase {
    return this.#phase;
  }

  /** Whether a request is being verified, so that another has to wait (attack A12). */
  get busy(): boolean {
    return this.#last !== undefined;
  }

  /** The outcome of a request that says nothing of who sends it; undefined where nobody is signed in, or no longer. */
  standing(clock: Clock): StandingOutcome | undefined {
    if (this.#lasting !== undefined) return this.#lasting;
    const phase = this.#phase;
    return phase.type === 'authenticated' && phase.expiresAt > clock.now() ? phase.outcome : undefined;
  }

  /** Enters a phase. The context of the phase that ends is deleted, unless the new one goes on with it. */
  enter(phase: ConnectionPhase): void {
    const before = contextOf(this.#phase);
    this.#phase = phase;
    this.#lasting = phase.type === 'authenticated' && phase.expiresAt === Infinity ? phase.outcome : undefined;
    if (this.#retained !== undefined) deleteSecurityContext(this.#retained);
    this.#retained = undefined;
    if (before !== undefined && before !== contextOf(phase)) deleteSecurityContext(before);
  }

  /**
   * Keeps the context of a request that signed in for itself only, so that its handler can act in its user's name: until the
   * next request of the connection is verified, or the connection ends.
   */
  retain(context: ContextHandle): void {
    // After a handshake of several legs it is the context of the phase that ends here: that one must not be deleted.
    if (contextOf(this.#phase) === context) this.#phase = idle;
    this.reset();
    this.#retained = context;
  }

  /** Back to idle; context and identity are gone. */
  reset(): void {
    this.enter(idle);
  }

  /** Back to idle, and whoever waits for a verification on this connection is told no. */
  abandon(): void {
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

  /** Nothing has to be released any more when the socket closes. */
  unwatch(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  /**
   * Runs a step when those before it have ended. A step that ends at once is not turned into a promise.
   */
  inTurn(step: () => Outcome | Promise<Outcome>): Outcome | Promise<Outcome> {
    const result = this.#last === undefined ? step() : this.#last.then(step, step);
    if (!(result instanceof Promise)) return result;
    const settled = result.finally(() => {
      if (this.#last === settled) this.#last = undefined;
    });
    this.#last = settled;
    return settled;
  }
}

function contextOf(phase: ConnectionPhase): ContextHandle | undefined {
  return phase.type === 'idle' ? undefined : phase.context;
}
