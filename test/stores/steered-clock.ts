/** A clock that a test turns. */
import type { Clock } from '../../src/foundation/clock.ts';

/** Where it begins: 2026-11-29T12:00:00Z, in the middle of a replay period. */
export const START = Date.UTC(2026, 10, 29, 12, 2, 30);

export class SteeredClock implements Clock {
  #now = START;
  #elapsed = 0;

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  /** Time goes by. */
  pass(milliseconds: number): void {
    this.#now += milliseconds;
    this.#elapsed += milliseconds;
  }

  /** Somebody sets the clock. */
  set(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
