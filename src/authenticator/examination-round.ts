/**
 * Rounds of a second in which each standing identity is examined once, with its first request. Between two rounds a
 * request need not look at the clock, which would take as long as all the rest that is done for it
 * (bench/keep-alive.bench.ts).
 *
 * One timer serves the process. It runs only while identities are examined, and keeps no process alive.
 */

/** How long a round lasts, in milliseconds. */
export const ROUND_MILLISECONDS = 1000;

/** The number of the round. Read for each request, so it is a field and no function. */
export const rounds = { current: 0 };

/** Of an identity that is examined with every request. */
export const NO_ROUND = -1;

let timer: NodeJS.Timeout | undefined;

/** Sees to it that the current round ends. Returns its number. */
export function joinRound(): number {
  timer ??= setTimeout(() => {
    timer = undefined;
    rounds.current++;
  }, ROUND_MILLISECONDS).unref();
  return rounds.current;
}
