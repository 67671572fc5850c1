/**
 * A replay cache: remembers accepted Authenticators, so that none is accepted twice (RFC 4120 section 3.2.3). It is for
 * a GSSAPI library that has no replay cache of its own. It is in memory: other processes and workers do not see its
 * entries.
 *
 * A restart empties it. So an Authenticator that is older than this process is refused (attack D02). RFC 4120 tells a
 * server to refuse all Authenticators until the clock skew has passed: five minutes without any sign-in after each
 * start. With the rule here, a client whose clock is right is never refused. A client whose clock is behind by some
 * seconds is refused for as many seconds after the start. One attack stays possible: to replay a token that was
 * accepted before the restart, if the clock of its client was ahead by more than the time between that moment and the
 * start.
 *
 * The clock of this machine may be set back. An Authenticator that was already forgotten could then be valid again. It
 * is refused too (attack G06).
 */
import { hash } from 'node:crypto';
import type { Clock } from '../../../foundation/clock.ts';

/** Entries within one window. An entry takes about 100 bytes. */
const MAX_ENTRIES = 1_000_000;
/**
 * Added to the window, in milliseconds: for the time between the call of the library and this one, and for slewed
 * clocks.
 */
const SLACK = 60_000;

/**
 * The result for an Authenticator. All but `new` must be refused.
 *
 * - `new`: it was not accepted before.
 * - `replay`: it was accepted before.
 * - `old`: it may have been accepted before, but the cache cannot know.
 * - `full`: the cache has no space to remember it.
 */
export type ReplayResult = 'new' | 'replay' | 'old' | 'full';

/** The Authenticators that were accepted within one window. */
interface Generation {
  /** SHA-256 hashes of the encrypted Authenticators. */
  readonly keys: Set<string>;
  /**
   * The latest time at which one was accepted, in milliseconds since 1970-01-01 UTC. The clock may have been set since.
   */
  latest: number;
}

/** Options of a replay cache. */
export interface ReplayCacheOptions {
  /** When this process began, in milliseconds on the scale of `clock.elapsed()`. Default: now. */
  readonly start?: number;
  /** How many Authenticators one window may have. Default: 1 000 000. */
  readonly maxEntries?: number;
}

export class ReplayCache {
  readonly #clock: Clock;
  readonly #processStart: number;
  readonly #maxEntries: number;
  /**
   * Two windows: an entry is kept for at least one window. It is kept for at most two, unless the clock was set back.
   */
  #current = emptyGeneration();
  #previous = emptyGeneration();
  #windowStart: number;
  /** The largest clock skew that was given to `remember`, in milliseconds. */
  #skew = 0;
  /** No forgotten Authenticator has a later time than this, in milliseconds since 1970-01-01 UTC. */
  #forgotten = -Infinity;

  constructor(clock: Clock, { start, maxEntries = MAX_ENTRIES }: ReplayCacheOptions = {}) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#windowStart = clock.elapsed();
    this.#processStart = start ?? this.#windowStart;
  }

  /**
   * Remembers an Authenticator that the library has accepted.
   *
   * @param cipher the encrypted Authenticator. It identifies the token: if it is altered, the library refuses it, but
   *   the message around it can be altered
   * @param skew clock skew that the library allows, in seconds
   * @param time returns the client's time in the Authenticator, in milliseconds since 1970-01-01 UTC, or undefined if
   *   it cannot be read. Called only if the time matters: shortly after the start, and after the clock was set back
   */
  remember(cipher: Uint8Array, skew: number, time: () => number | undefined): ReplayResult {
    this.#skew = Math.max(this.#skew, skew * 1000);
    const now = this.#clock.now();
    this.#forget(now);
    const key = hash('sha256', cipher, 'binary');
    if (this.#current.keys.has(key) || this.#previous.keys.has(key)) return 'replay';
    // Computed from the age of this process, not from the time of its start: if the clock is corrected later, no client
    // is locked out.
    const oldest = Math.max(now - (this.#clock.elapsed() - this.#processStart), this.#forgotten);
    // If `oldest` is further back than the skew, the library itself refuses anything older. The time is then not
    // needed.
    if (oldest > now - this.#skew - SLACK && !((time() ?? -Infinity) >= oldest)) return 'old';
    if (this.#current.keys.size >= this.#maxEntries) return 'full';
    this.#current.keys.add(key);
    this.#current.latest = Math.max(this.#current.latest, now);
    return 'new';
  }

  /** Begins a new window if the current one is over and the entries that would be forgotten are not valid any more. */
  #forget(now: number): void {
    // An Authenticator whose time is `skew` ahead stays valid for twice the skew.
    const window = 2 * this.#skew + SLACK;
    const elapsed = this.#clock.elapsed();
    const isOutdated = ({ latest }: Generation): boolean => now - latest >= window;
    if (elapsed - this.#windowStart < window || !isOutdated(this.#previous)) return;
    const isLongOver = elapsed - this.#windowStart >= 2 * window && isOutdated(this.#current);
    const dropped = isLongOver ? Math.max(this.#previous.latest, this.#current.latest) : this.#previous.latest;
    // One second more, because libraries compare whole seconds.
    this.#forgotten = Math.max(this.#forgotten, dropped + this.#skew + 1000);
    this.#previous = isLongOver ? emptyGeneration() : this.#current;
    this.#current = emptyGeneration();
    this.#windowStart = elapsed;
  }
}

function emptyGeneration(): Generation {
  return { keys: new Set(), latest: -Infinity };
}
