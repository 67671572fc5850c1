import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { koffi } from '../../../src/native/koffi.ts';
import type { WindowsFunctions } from '../../../src/native/secur32/library.ts';
import { dateOfTimeStamp } from '../../../src/native/secur32/time-stamp.ts';

/** 100 ns since 1601 of a wall clock given as if it were UTC. */
const timeStamp = (wall: string): bigint => (BigInt(Date.parse(`${wall}Z`)) + 11_644_473_600_000n) * 10_000n;

describe('TimeStamp', () => {
  it('is the local time of the machine', () => {
    for (const wall of ['2026-01-15T12:34:56.789', '2026-07-15T00:00:00.000', '1999-12-31T23:59:59.999']) {
      // Without a zone, Date.parse takes local time.
      assert.equal(dateOfTimeStamp(timeStamp(wall))?.getTime(), Date.parse(wall));
    }
  });

  it("is read by Windows' own time zone, whatever TZ says, and with the offset of now", () => {
    // Windows is two hours ahead here.
    const functions = {
      LocalFileTimeToFileTime: (from: bigint, to: bigint): number => {
        koffi().encode(to, 'int64', (koffi().decode(from, 'int64') as bigint) - 72_000_000_000n);
        return 1;
      },
    } as unknown as WindowsFunctions;
    for (const wall of ['2026-01-15T12:34:56.789', '2026-07-15T00:00:00.000']) {
      const expected = Date.parse(`${wall}Z`) - 2 * 3_600_000;
      assert.equal(dateOfTimeStamp(timeStamp(wall), functions)?.getTime(), expected);
    }
    assert.equal(dateOfTimeStamp(0x7fffff36d5969fffn, functions), undefined);
  });

  it('is the local time of this process if Windows cannot convert it', () => {
    const functions = { LocalFileTimeToFileTime: () => 0 } as unknown as WindowsFunctions;
    const wall = '2026-01-15T12:34:56.789';
    assert.equal(dateOfTimeStamp(timeStamp(wall), functions)?.getTime(), Date.parse(wall));
  });

  it('is undefined where it means never, or nothing', () => {
    for (const value of [
      0n,
      -1n,
      0x7fffffffffffffffn,
      0x7fffff36d5969fffn,
      timeStamp('9999-12-31T23:59:59.999') + 10_000n,
    ]) {
      assert.equal(dateOfTimeStamp(value), undefined, String(value));
    }
  });
});
