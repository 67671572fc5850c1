/** The writer of DER against the other one, which is tested by vectors. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { contextTag, DER_OCTET_STRING, DER_SEQUENCE, derElement, derInteger } from '../../src/formats/der.ts';
import { DerWriter } from '../../src/formats/der-writer.ts';

describe('DerWriter', () => {
  it('writes what derElement and derInteger write, of any size, and begins anew after a wipe', () => {
    const writer = new DerWriter();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 0, max: 0xffffffff }), (octets, number) => {
        const expected = derElement(
          DER_SEQUENCE,
          derElement(contextTag(0), derInteger(number)),
          derElement(DER_OCTET_STRING, octets),
        );
        writer.bytes(octets);
        writer.element(DER_OCTET_STRING, 0);
        const since = writer.length;
        writer.integer(number);
        writer.element(contextTag(0), since);
        writer.element(DER_SEQUENCE, 0);
        const written = writer.copy();
        writer.wipe();
        assert.equal(writer.length, 0);
        assert.deepEqual(written, Buffer.from(expected));
      }),
    );
  });

  it('writes the numbers at each boundary in their shortest form', () => {
    const writer = new DerWriter();
    for (const number of [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0x7fffffff, 0x80000000, 0xffffffff]) {
      writer.integer(number);
      assert.deepEqual(writer.copy(), Buffer.from(derInteger(number)), String(number));
      writer.wipe();
    }
  });
});
