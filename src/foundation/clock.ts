/**
 * Time and randomness as parameters, so that a capture of 2009 can be verified as of 2009 and a nonce can be foretold in a
 * test. Nothing below src/packages, src/accounts and src/http asks the machine directly.
 */
import { randomFillSync } from 'node:crypto';

/** Where packages take the time from. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. May step in either direction. */
  now(): number;
  /** Milliseconds since some fixed point; never steps back. Ages and deadlines are measured with this one. */
  elapsed(): number;
}

/** Gives `size` unpredictable bytes. */
export type RandomSource = (size: number) => Uint8Array;

/** The machine's own clock. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  elapsed: () => performance.now(),
});

/** The machine's cryptographic generator. */
export const systemRandom: RandomSource = (size) => randomFillSync(new Uint8Array(size));
