/** Times to live of a SharedStore. */

/**
 * A time to live.
 *
 * @param ttl milliseconds
 * @throws RangeError unless it is a whole number above 0: a key without an end would stay for ever
 */
export function checkedTtl(ttl: number): number {
  if (!Number.isSafeInteger(ttl) || ttl <= 0) throw new RangeError(`ttl is ${ttl}, not a whole number above 0`);
  return ttl;
}
