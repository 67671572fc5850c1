/**
 * Authenticators that were accepted, so that none is accepted twice (RFC 4120 section 3.2.3), for a GSSAPI that does not
 * remember them itself. In memory: this process (and of it, this thread of JavaScript) alone knows them, and a restart
 * forgets them.
 */
import { hash } from 'node:crypto';
import type { Clock } from '../../sspi/clock.ts';

/** Of one window: each takes about 100 bytes. */
const MAX_ENTRIES = 1_000_000;

/** What became of an authenticator: `full` where it cannot be remembered and so must be refused. */
export type ReplayVerdict = 'new' | 'replay' | 'full';

export class ReplayCache {
  readonly #clock: Clock;
  readonly #maxEntries: number;
  /** An entry is kept for one window at least, and for two at most. */
  #current = new Set<string>();
  #last = new Set<string>();
  #began: number;
  #window = 0;

  /** @param maxEntries authenticators within one window */
  constructor(clock: Clock, maxEntries = MAX_ENTRIES) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#began = clock.elapsed();
  }

  /**
   * Remembers an authenticator.
   *
   * @param cipher the encrypted authenticator: it cannot be altered and still be accepted, the message around it can
   * @param skew seconds by which the library lets a client's clock be off, either way
   */
  remember(cipher: Uint8Array, skew: number): ReplayVerdict {
    // One dated `skew` ahead is good until twice as long has passed. Entries outlast what any caller needs.
    this.#window = Math.max(this.#window, (2 * skew + 1) * 1000);
    const now = this.#clock.elapsed();
    const windows = Math.floor((now - this.#began) / this.#window);
    if (windows > 0) {
      this.#last = windows === 1 ? this.#current : new Set();
      this.#current = new Set();
      this.#began = now;
    }
    const key = hash('sha256', cipher, 'binary');
    if (this.#current.has(key) || this.#last.has(key)) return 'replay';
    if (this.#current.size >= this.#maxEntries) return 'full';
    this.#current.add(key);
    return 'new';
  }
}
