/**
 * Authenticators that were accepted, so that none is accepted twice (RFC 4120 section 3.2.3), for a GSSAPI that does not
 * remember them itself. In memory: this process (and of it, this thread of JavaScript) alone knows them.
 *
 * What was accepted before a restart is not remembered, so an authenticator that is older than this process is refused
 * (attack D02). RFC 4120 would have a server refuse all of them until the clock skew is over: five minutes without anybody
 * after each start. By their age nobody is refused whose clock is right, and whoever is behind is refused for as many
 * seconds after the start. What is left to an attacker: a token that was accepted before the restart, of a client whose
 * clock was ahead by more than the time from then to the start.
 *
 * What a later step back of this machine's clock would make good again, after it was forgotten, is refused too (attack G06).
 */
import { hash } from 'node:crypto';
import type { Clock } from '../../../foundation/clock.ts';

/** Of one window: each takes about 100 bytes. */
const MAX_ENTRIES = 1_000_000;
/** For the time from a library's result to this one, and for clocks that are slewed. */
const SLACK = 60_000;

/**
 * What became of an authenticator: `old` where it may have been accepted before this cache knows, `full` where it cannot be
 * remembered; both must be refused.
 */
export type ReplayResult = 'new' | 'replay' | 'old' | 'full';

/** What was accepted within one window. */
interface Generation {
  readonly keys: Set<string>;
  /** The latest time at which one was, by a clock that may step: in milliseconds since 1970-01-01 UTC. */
  latest: number;
}

/** Options of a replay cache. */
export interface ReplayCacheOptions {
  /** When this process began, as `elapsed` of the clock counts. Default now. */
  readonly start?: number;
  /** Authenticators within one window. */
  readonly maxEntries?: number;
}

export class ReplayCache {
  readonly #clock: Clock;
  readonly #start: number;
  readonly #maxEntries: number;
  /** An entry is kept for one window at least, and for two at most unless the clock was set back. */
  #current = emptyGeneration();
  #last = emptyGeneration();
  #began: number;
  /** The greatest clock skew of any library, in milliseconds. */
  #skew = 0;
  /** No authenticator dated later was accepted and forgotten since the start. */
  #forgotten = -Infinity;

  constructor(clock: Clock, { start, maxEntries = MAX_ENTRIES }: ReplayCacheOptions = {}) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#began = clock.elapsed();
    this.#start = start ?? this.#began;
  }

  /**
   * Remembers an authenticator that a library has accepted.
   *
   * @param cipher the encrypted authenticator: it cannot be altered and still be accepted, the message around it can
   * @param skew seconds by which the library lets a client's clock be off, either way
   * @param time the client's time in it, in milliseconds since 1970-01-01 UTC; undefined where it cannot be read. Asked for
   *   only while it counts: shortly after the start, and after the clock was set back
   */
  remember(cipher: Uint8Array, skew: number, time: () => number | undefined): ReplayResult {
    this.#skew = Math.max(this.#skew, skew * 1000);
    const now = this.#clock.now();
    this.#forget(now);
    const key = hash('sha256', cipher, 'binary');
    if (this.#current.keys.has(key) || this.#last.keys.has(key)) return 'replay';
    // The age of this process, not the time of its start: a clock that is set right meanwhile locks nobody out.
    const oldest = Math.max(now - (this.#clock.elapsed() - this.#start), this.#forgotten);
    // The library takes none that is older than the skew.
    if (oldest > now - this.#skew - SLACK && !((time() ?? -Infinity) >= oldest)) return 'old';
    if (this.#current.keys.size >= this.#maxEntries) return 'full';
    this.#current.keys.add(key);
    this.#current.latest = Math.max(this.#current.latest, now);
    return 'new';
  }

  /** Begins a new window where the last one is over and what falls out of memory is out of date as well. */
  #forget(now: number): void {
    // One dated `skew` ahead is good until twice as long has passed.
    const window = 2 * this.#skew + SLACK;
    const elapsed = this.#clock.elapsed();
    const isOutdated = ({ latest }: Generation): boolean => now - latest >= window;
    if (elapsed - this.#began < window || !isOutdated(this.#last)) return;
    const isLongOver = elapsed - this.#began >= 2 * window && isOutdated(this.#current);
    const dropped = isLongOver ? Math.max(this.#last.latest, this.#current.latest) : this.#last.latest;
    // Libraries compare whole seconds.
    this.#forgotten = Math.max(this.#forgotten, dropped + this.#skew + 1000);
    this.#last = isLongOver ? emptyGeneration() : this.#current;
    this.#current = emptyGeneration();
    this.#began = elapsed;
  }
}

function emptyGeneration(): Generation {
  return { keys: new Set(), latest: -Infinity };
}
