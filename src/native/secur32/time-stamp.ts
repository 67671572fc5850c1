/** The TimeStamp structure of SSPI: units of 100 ns since 1601-01-01, in the local time of the machine. */
import { koffi } from '../koffi.ts';
import type { WindowsFunctions } from './library.ts';

const EPOCH_MILLISECONDS = 11_644_473_600_000n;
/** A later time means "never". Packages without an expiry return the maximum, shifted by the time zone. */
const YEAR_9999 = 253_402_300_799_999n;

/**
 * Converts a TimeStamp to a Date.
 *
 * @param value the TimeStamp that the library wrote
 * @param functions of Windows: its own time zone counts, which Node does not go by if TZ is set. Without them, the local
 *   time is that of this process
 * @returns undefined if the value means "never" or was not filled in
 */
export function dateOfTimeStamp(value: bigint, functions?: WindowsFunctions): Date | undefined {
  const wallClock = value / 10_000n - EPOCH_MILLISECONDS;
  if (value <= 0n || wallClock > YEAR_9999) return undefined;
  const utc = functions === undefined ? undefined : utcOf(value, functions);
  if (utc !== undefined) return new Date(Number(utc / 10_000n - EPOCH_MILLISECONDS));
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

/**
 * LocalFileTimeToFileTime. It uses the offset of now, also for a time after the next change to or from summer time, and
 * so does the package that made the local time.
 */
function utcOf(value: bigint, functions: WindowsFunctions): bigint | undefined {
  const memory = Buffer.alloc(16);
  memory.writeBigInt64LE(value, 0);
  const address = koffi().address(memory);
  if (functions.LocalFileTimeToFileTime(address, address + 8n) === 0) return undefined;
  return memory.readBigInt64LE(8);
}
