/**
 * The handshakes that wait for their client, over all connections: none waits for ever, and there are never too many
 * (attack A17). One timer for all of them; the oldest is always first.
 */
import type { Clock } from '../foundation/clock.ts';
import type { Connection } from './connection.ts';
import type { ConnectionSocket, Exchange } from '../http/exchange.ts';
import { discard } from './verification.ts';
import type { VerificationResult } from './verification.ts';
import type { Outcome } from '../http/outcome.ts';

/** Why a handshake was given up. */
export type Abandonment = 'deadline' | 'evicted' | 'closed';

/** Limits of handshakes. */
export interface HandshakeLimits {
  /** How long a client may take from its first token to its last, in milliseconds. */
  readonly handshakeMilliseconds: number;
  /** How many handshakes may wait at once; one more drops the oldest. */
  readonly pendingHandshakes: number;
}

/** A request whose body may still be arriving: its client can go on with the handshake only when it has sent that. */
export type ArrivingRequest = Pick<Exchange, 'complete' | 'once'>;

/** The pending handshakes of one authenticator. */
export class PendingHandshakes {
  /** Connection to deadline (Clock.elapsed()), in the order they began. */
  readonly #deadlines = new Map<Connection, number>();
  /** Those whose time does not run yet. */
  readonly #arriving = new Map<Connection, ArrivingRequest>();
  readonly #limits: HandshakeLimits;
  readonly #clock: Clock;
  readonly #abandoned: (why: Abandonment, connection: Connection) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param abandoned called before a handshake is given up for another reason than its client's going away */
  constructor(
    limits: HandshakeLimits,
    clock: Clock,
    abandoned: (why: Abandonment, connection: Connection) => void = () => undefined,
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#abandoned = abandoned;
  }

  /** How many wait. */
  get size(): number {
    return this.#deadlines.size;
  }

  /**
   * The connection now waits for its client, or for somebody who verifies. Neither may take for ever.
   *
   * @param request the leg that its client was answered: while its body arrives, which Node gives a time of its own
   *   (requestTimeout), the client is not late
   */
  add(connection: Connection, socket: ConnectionSocket, request?: ArrivingRequest): void {
    if (request?.complete === false) {
      this.#arriving.set(connection, request);
      request.once?.('end', () => this.#arrived(connection, request));
    }
    // The deadline is that of the whole handshake: a later leg does not buy time.
    if (this.#deadlines.has(connection)) return;
    while (this.#deadlines.size >= this.#limits.pendingHandshakes) {
      const oldest = this.#deadlines.keys().next();
      if (oldest.done === true) break;
      this.#abandon(oldest.value, 'evicted');
    }
    this.#restart(connection);
    connection.watch(socket, () => {
      this.#forget(connection);
      connection.unwatch();
      connection.abandon();
    });
    this.#schedule();
  }

  /** The handshake has ended, in whatever way; what becomes of the connection is the caller's. */
  remove(connection: Connection): void {
    if (this.#forget(connection) && this.#deadlines.size === 0) this.#stop();
  }

  /** The connection waits for nobody and holds nothing. */
  release(connection: Connection): void {
    this.remove(connection);
    connection.reset();
    connection.unwatch();
  }

  /**
   * Goes on when a result is there. One that has to be waited for is given the deadline; if it passes first, or the
   * connection closes, the answer is no and the late result is thrown away (attack G10).
   *
   * @param conclude makes the outcome of a result
   * @param no makes the outcome for a client whose result did not come
   */
  whenVerified(
    connection: Connection,
    socket: ConnectionSocket,
    result: VerificationResult | Promise<VerificationResult>,
    conclude: (result: VerificationResult) => Outcome,
    no: () => Outcome,
  ): Outcome | Promise<Outcome> {
    if (!(result instanceof Promise)) return conclude(result);
    this.add(connection, socket);
    let late = false;
    const abandoned = new Promise<Outcome>((resolve) => {
      connection.onAbandon = () => {
        late = true;
        resolve(no());
      };
    });
    const verified = result.then(
      (settled) => {
        if (late) {
          discard(settled);
          return no();
        }
        connection.onAbandon = undefined;
        return conclude(settled);
      },
      (error: unknown) => {
        // Late, the listener is that of a request verified since.
        if (late) return no();
        connection.onAbandon = undefined;
        throw error;
      },
    );
    return Promise.race([verified, abandoned]);
  }

  /** Gives up every handshake. */
  close(): void {
    for (const connection of [...this.#deadlines.keys()]) this.#abandon(connection, 'closed');
    this.#stop();
  }

  /** Gives up what is past its deadline; called by the timer, and by tests with a clock of their own. */
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

  /** The whole time is the client's again; the connection is the last in the order. */
  #restart(connection: Connection): void {
    this.#deadlines.delete(connection);
    this.#deadlines.set(connection, this.#clock.elapsed() + this.#limits.handshakeMilliseconds);
  }

  #forget(connection: Connection): boolean {
    this.#arriving.delete(connection);
    return this.#deadlines.delete(connection);
  }

  #abandon(connection: Connection, why: Abandonment): void {
    this.#forget(connection);
    this.#abandoned(why, connection);
    // A leg that is being verified right now is discarded by the contract when it ends.
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
