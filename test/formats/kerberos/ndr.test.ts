/** What PACs use of NDR is in pac.test.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NdrReader } from '../../../src/formats/kerberos/ndr.ts';
import { Reader } from '../../../src/formats/reader.ts';

describe('the number of elements of a conformant array', () => {
  it('D15: is at most its bound, and what fits into the bytes', () => {
    const conformance = (count: number, elementBytes: number): number => {
      const bytes = Buffer.alloc(4 + 40);
      bytes.writeUInt32LE(count);
      return new NdrReader(new Reader(bytes)).conformance('x', elementBytes, 12);
    };
    assert.deepEqual([conformance(0, 4), conformance(10, 4), conformance(12, 1)], [0, 10, 12]);
    assert.throws(() => conformance(13, 1), /13 is above 12/);
    assert.throws(() => conformance(11, 4), /11 elements do not fit/);
  });
});
