/**
 * How often clients can have the keytab file looked at. A refused ticket causes a check, because its key may be new, and
 * for a clock skew the file is read. Any client can send such tickets, and the file system blocks the event loop.
 */
import type { Clock } from './clock.ts';

/** Checks that may follow each other at once. A few clients that come with the first tickets under a new key need no more. */
const BURST = 10;
/** Time after which one more check is allowed, in milliseconds. */
const INTERVAL = 100;

/** A budget of checks. Used up, it fills again by one every 100 milliseconds. */
export class CheckBudget {
  readonly #clock: Clock;
  #left = BURST;
  #filledAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledAt = clock.elapsed();
  }

  /** Whether a check is allowed now. If so, it counts as done. */
  take(): boolean {
    const now = this.#clock.elapsed();
    const intervals = Math.floor((now - this.#filledAt) / INTERVAL);
    if (intervals > 0) {
      this.#left = Math.min(BURST, this.#left + intervals);
      this.#filledAt += intervals * INTERVAL;
    }
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }
}
