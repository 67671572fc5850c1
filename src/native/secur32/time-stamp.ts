/** The TimeStamp structure of SSPI: units of 100 ns since 1601-01-01, in the local time of the machine. */

const EPOCH_MILLISECONDS = 11_644_473_600_000n;
/** A later time means "never". Packages without an expiry return the maximum, shifted by the time zone. */
const YEAR_9999 = 253_402_300_799_999n;

/**
 * Converts a TimeStamp to a Date.
 *
 * @param value the TimeStamp that the library wrote
 * @returns undefined if the value means "never" or was not filled in
 */
export function dateOfTimeStamp(value: bigint): Date | undefined {
  const wallClock = value / 10_000n - EPOCH_MILLISECONDS;
  if (value <= 0n || wallClock > YEAR_9999) return undefined;
  // `wall` has the local date and time in its UTC fields. They are read again as local time of this machine.
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
