/** TimeStamp of SSPI: units of 100 ns since 1601-01-01, in the local time of the machine. */

const EPOCH_MILLISECONDS = 11_644_473_600_000n;
/** Later than this is never: packages without an expiry answer the maximum, give or take a time zone. */
const YEAR_9999 = 253_402_300_799_999n;

/**
 * A TimeStamp as an instant.
 *
 * @param value as the library wrote it
 * @returns undefined where it means never, or was not filled in
 */
export function dateOfTimeStamp(value: bigint): Date | undefined {
  const wallClock = value / 10_000n - EPOCH_MILLISECONDS;
  if (value <= 0n || wallClock > YEAR_9999) return undefined;
  // The fields of the wall clock, read back in the machine's own time zone.
  const wall = new Date(Number(wallClock));
  return new Date(
    wall.getUTCFullYear(),
    wall.getUTCMonth(),
    wall.getUTCDate(),
    wall.getUTCHours(),
    wall.getUTCMinutes(),
    wall.getUTCSeconds(),
    wall.getUTCMilliseconds(),
  );
}
