/**
 * The handshakes of all connections that wait for their client. None waits for ever, and there are never too many
 * (attack A17). One timer serves all of them. The oldest is always first.
 */
import type { Clock } from '../foundation/clock.ts';
import type { Connection } from './connection.ts';
import { DrainWaits } from './drain-waits.ts';
import type { ConnectionSocket, Exchange } from '../http/exchange.ts';
import { wasOverrun } from '../http/request-body.ts';
import { discard } from './verification.ts';
import type { VerificationResult } from './verification.ts';
import type { Outcome } from '../http/outcome.ts';

/** Why a handshake was abandoned; `body`: its connection was closed because of a body above the limit. */
export type Abandonment = 'deadline' | 'evicted' | 'closed' | 'body';

/** Limits of handshakes. */
export interface HandshakeLimits {
  /** How long a client may take from its first token to its last, in milliseconds. */
  readonly handshakeMilliseconds: number;
  /** How many handshakes may wait at once; one more drops the oldest. */
  readonly pendingHandshakes: number;
  /** How many bytes they may hold together; one more drops the oldest. */
  readonly pendingHandshakeBytes: number;
}

/**
 * A request whose body may still be arriving. Its client can continue the handshake only after it has sent the body.
 */
export type ArrivingRequest = Pick<Exchange, 'complete' | 'once'>;

/** The pending handshakes of one authenticator. */
export class PendingHandshakes {
  /** The deadline of each connection (Clock.elapsed()), earliest first. */
  readonly #deadlines = new Map<Connection, number>();
  /** What each connection holds, in bytes, and all together. */
  readonly #bytesOf = new Map<Connection, number>();
  #bytes = 0;
  /** Connections that have a request whose body is still arriving, so that their time does not run yet. */
  readonly #arriving = new Map<Connection, ArrivingRequest>();
  readonly #limits: HandshakeLimits;
  readonly #clock: Clock;
  readonly #abandoned: (why: Abandonment, connection: Connection) => void;
  #timer: NodeJS.Timeout | undefined;
  /** What waits until no handshake is pending any more. */
  readonly #waits = new DrainWaits();

  /** @param abandoned called before a handshake is abandoned, unless the reason is that its client disconnected */
  constructor(
    limits: HandshakeLimits,
    clock: Clock,
    abandoned: (why: Abandonment, connection: Connection) => void = () => undefined,
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#abandoned = abandoned;
  }

  /** How many handshakes wait. */
  get size(): number {
    return this.#deadlines.size;
  }

  /**
   * The connection now waits for its client, or for a verification. Neither may take for ever.
   *
   * @param request the request of the leg that was answered. While its body arrives, the client is not late: Node has
   *   its own time limit for that (requestTimeout)
   * @param bytes what is held of its tokens meanwhile
   */
  add(connection: Connection, socket: ConnectionSocket, request?: ArrivingRequest, bytes = 0): void {
    if (request?.complete === false) {
      this.#arriving.set(connection, request);
      request.once?.('end', () => this.#arrived(connection, request));
    }
    this.#hold(connection, bytes);
    // The deadline is for the whole handshake: a later leg does not extend it.
    const isNew = !this.#deadlines.has(connection);
    this.#makeRoom(connection, isNew ? 1 : 0);
    if (!isNew) return;
    this.#restart(connection);
    connection.watch(socket, () => {
      this.#forget(connection);
      if (wasOverrun(socket)) this.#abandoned('body', connection);
      connection.unwatch();
      connection.abandon();
    });
    this.#schedule();
  }

  /** Calls a function when no handshake waits any more, or a time is over. */
  whenNone(milliseconds: number, run: () => void): void {
    this.#waits.add(milliseconds, run);
    this.#endWaits();
  }

  #endWaits(): void {
    if (this.#deadlines.size > 0 || !this.#waits.any) return;
    // A leg that ends and the next that begins may be one step, and the answer to the last leg is still to be written.
    setImmediate(() => {
      if (this.#deadlines.size === 0) this.#waits.end();
    });
  }

  /** Removes a handshake that has ended in any way. The caller decides what happens to the connection. */
  remove(connection: Connection): void {
    if (this.#forget(connection) && this.#deadlines.size === 0) this.#stop();
  }

  /** Ends the connection's wait, and deletes its context and identity. */
  release(connection: Connection): void {
    this.remove(connection);
    connection.reset();
    connection.unwatch();
  }

  /**
   * Continues when a result is there. If it must be waited for, it has the deadline of the handshake. If that passes
   * first, or the connection closes, the client is refused and the late result is discarded (attack G10).
   *
   * @param conclude makes the outcome of a result
   * @param refuse makes the outcome for a client whose result did not come in time
   * @param bytes what the request that waits holds of its credentials
   */
  whenVerified(
    connection: Connection,
    socket: ConnectionSocket,
    result: VerificationResult | Promise<VerificationResult>,
    conclude: (result: VerificationResult) => Outcome,
    refuse: () => Outcome,
    bytes = 0,
  ): Outcome | Promise<Outcome> {
    if (!(result instanceof Promise)) return conclude(result);
    this.add(connection, socket, undefined, bytes);
    let late = false;
    const abandoned = new Promise<Outcome>((resolve) => {
      connection.onAbandon = () => {
        late = true;
        resolve(refuse());
      };
    });
    const verified = result.then(
      (settled) => {
        if (late) {
          discard(settled);
          return refuse();
        }
        connection.onAbandon = undefined;
        return conclude(settled);
      },
      (error: unknown) => {
        // If this is late, `onAbandon` already belongs to a later request.
        if (late) return refuse();
        connection.onAbandon = undefined;
        throw error;
      },
    );
    return Promise.race([verified, abandoned]);
  }

  /** Abandons every handshake. */
  close(): void {
    for (const connection of [...this.#deadlines.keys()]) this.#abandon(connection, 'closed');
    this.#stop();
  }

  /** Abandons the handshakes that are past their deadline. Called by the timer, and by tests with their own clock. */
  sweep(): void {
    const now = this.#clock.elapsed();
    for (const [connection, deadline] of this.#deadlines) {
      if (deadline > now) break;
      if (this.#arriving.get(connection)?.complete === false) this.#restart(connection);
      else this.#abandon(connection, 'deadline');
    }
    this.#stop();
    this.#schedule();
  }

  #arrived(connection: Connection, request: ArrivingRequest): void {
    if (this.#arriving.get(connection) !== request) return;
    this.#arriving.delete(connection);
    if (this.#deadlines.has(connection)) this.#restart(connection);
  }

  /** Gives the client the full time again. The connection becomes the last in the order. */
  #restart(connection: Connection): void {
    this.#deadlines.delete(connection);
    this.#deadlines.set(connection, this.#clock.elapsed() + this.#limits.handshakeMilliseconds);
  }

  #hold(connection: Connection, bytes: number): void {
    this.#bytes += bytes - (this.#bytesOf.get(connection) ?? 0);
    if (bytes === 0) this.#bytesOf.delete(connection);
    else this.#bytesOf.set(connection, bytes);
  }

  /** Drops the oldest until one is within the limits. It itself is kept: tokens have a limit of their own. */
  #makeRoom(connection: Connection, more: number): void {
    const { pendingHandshakes, pendingHandshakeBytes } = this.#limits;
    for (const oldest of this.#deadlines.keys()) {
      if (this.#deadlines.size + more <= pendingHandshakes && this.#bytes <= pendingHandshakeBytes) return;
      if (oldest !== connection) this.#abandon(oldest, 'evicted');
    }
  }

  #forget(connection: Connection): boolean {
    this.#arriving.delete(connection);
    this.#hold(connection, 0);
    const wasThere = this.#deadlines.delete(connection);
    this.#endWaits();
    return wasThere;
  }

  #abandon(connection: Connection, why: Abandonment): void {
    this.#forget(connection);
    this.#abandoned(why, connection);
    // If a leg is being verified right now, the contract discards its result when it ends.
    connection.unwatch();
    connection.abandon();
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    const oldest = this.#deadlines.values().next();
    if (oldest.done === true) return;
    const wait = Math.max(1, oldest.value - this.#clock.elapsed());
    this.#timer = setTimeout(() => this.sweep(), wait);
    this.#timer.unref();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
