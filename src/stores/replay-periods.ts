/** Time as replay is remembered: in periods of the Authenticators' own time, so that a copy always meets its original. */

/** Length of a period in milliseconds. It is the same for every process of a folder, whatever its clock skew is. */
export const PERIOD = 300_000;

/** Kept longer than needed, in milliseconds: for clocks that are slewed. */
const SLACK = 60_000;

/** The period of a time. */
export function periodOf(milliseconds: number): number {
  return Math.floor(milliseconds / PERIOD);
}

/**
 * The last period whose Authenticators nobody accepts any more.
 *
 * @param now milliseconds since 1970-01-01 UTC
 * @param skew clock skew that is allowed, in milliseconds
 */
export function lastPastPeriod(now: number, skew: number): number {
  return periodOf(now - Math.max(skew, PERIOD) - SLACK) - 1;
}

/**
 * How long a store keeps a claim, in milliseconds: an Authenticator is valid for at most twice the skew, and the clocks
 * of two servers may differ.
 */
export function claimLife(skew: number): number {
  return 3 * Math.max(skew, PERIOD) + SLACK;
}
