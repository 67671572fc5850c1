/** The time in nonces that several servers take from each other. */
import type { Clock } from '../../foundation/clock.ts';

/** How far the clocks of two servers of one store may differ, in milliseconds. */
export const SERVER_CLOCK_SKEW = 60_000;

/**
 * The time of day, which servers have in common, made never to go back in one process: if its clock is set back, what a
 * store has forgotten meanwhile would be young again (attack G06).
 */
export class FleetTime {
  readonly #clock: Clock;
  #ahead: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#ahead = clock.now() - clock.elapsed();
  }

  /** Milliseconds since 1970-01-01 UTC. */
  now(): number {
    // The clock of elapsed() stands still while a machine sleeps, so the time of day may get ahead of it.
    this.#ahead = Math.max(this.#ahead, this.#clock.now() - this.#clock.elapsed());
    return Math.floor(this.#ahead + this.#clock.elapsed());
  }
}
