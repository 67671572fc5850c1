/**
 * Time and randomness are passed in as parameters. So a test can verify a capture of 2009 at the time it was made, and
 * can predict a nonce. The layers below src/packages, src/accounts and src/http never ask the machine directly.
 */
import { randomBytes } from './random-pool.ts';

/** Where packages take the time from. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. May jump forward or back. */
  now(): number;
  /** Milliseconds since an arbitrary fixed point. Never goes back, so ages and deadlines are measured with it. */
  elapsed(): number;
}

/** Returns `size` unpredictable bytes. */
export type RandomSource = (size: number) => Uint8Array;

/** The machine's own clock. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  elapsed: () => performance.now(),
});

/** The machine's cryptographic random generator. */
export const systemRandom: RandomSource = randomBytes;
