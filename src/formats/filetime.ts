/** FILETIME (MS-DTYP section 2.3.3): 100-nanosecond intervals since 1601-01-01 UTC. */

/** Milliseconds between 1601-01-01 and 1970-01-01. */
const EPOCH_MILLISECONDS = 11_644_473_600_000n;
const INTERVALS_PER_MILLISECOND = 10_000n;

/** A FILETIME from milliseconds since 1970-01-01 UTC. Fractions of a millisecond are dropped. */
export function filetimeOf(milliseconds: number): bigint {
  return (BigInt(Math.trunc(milliseconds)) + EPOCH_MILLISECONDS) * INTERVALS_PER_MILLISECOND;
}

/** A FILETIME as a Date, to the millisecond. Every unsigned 64-bit value is valid: the last is in the year 60056. */
export function dateOfFiletime(filetime: bigint): Date {
  return new Date(Number(filetime / INTERVALS_PER_MILLISECOND - EPOCH_MILLISECONDS));
}

/** How far two FILETIMEs are apart, in 100-nanosecond intervals; exact over all 64 bits (attack C24). */
export function filetimeDistance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}

/** A duration in milliseconds as 100-nanosecond intervals. */
export function filetimeSpan(milliseconds: number): bigint {
  return BigInt(Math.trunc(milliseconds)) * INTERVALS_PER_MILLISECOND;
}
