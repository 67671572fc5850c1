import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MalformedTokenError } from '../../src/foundation/errors.ts';
import { Reader } from '../../src/formats/reader.ts';

const bytes = Uint8Array.from({ length: 16 }, (_, index) => 0xf0 + index);
const malformed =
  (offset: number) =>
  (error: unknown): boolean =>
    error instanceof MalformedTokenError && error.field === 'x' && error.offset === offset;

describe('Reader', () => {
  it('reads numbers in the order they say, and never rounds or turns them negative', () => {
    const reader = new Reader(bytes);
    assert.equal(reader.u8('x'), 0xf0);
    assert.equal(reader.u16le('x'), 0xf2f1);
    assert.equal(reader.u16be('x'), 0xf3f4);
    assert.equal(reader.u32le('x'), 0xf8f7f6f5);
    assert.equal(reader.u32be('x'), 0xf9fafbfc);
    assert.equal(reader.offset, 13);
    assert.equal(reader.remaining, 3);
    assert.equal(new Reader(bytes).u64le('x'), 0xf7f6f5f4f3f2f1f0n);
    assert.equal(new Reader(bytes).i32le('x'), 0xf3f2f1f0 - 2 ** 32);
  });

  const reads: Readonly<Record<string, readonly [bytes: number, read: (reader: Reader) => unknown]>> = {
    u8: [1, (reader) => reader.u8('x')],
    u16le: [2, (reader) => reader.u16le('x')],
    u16be: [2, (reader) => reader.u16be('x')],
    u32le: [4, (reader) => reader.u32le('x')],
    u32be: [4, (reader) => reader.u32be('x')],
    i32le: [4, (reader) => reader.i32le('x')],
    u64le: [8, (reader) => reader.u64le('x')],
    'take(5)': [5, (reader) => reader.take(5, 'x')],
    'skip(5)': [
      5,
      (reader) => {
        reader.skip(5, 'x');
      },
    ],
    'sub(5)': [5, (reader) => reader.sub(5, 'x')],
  };
  for (const [name, [size, read]] of Object.entries(reads)) {
    it(`A03: ${name} moves on by ${size} and never reads past its end, though the bytes are there`, () => {
      const fits = new Reader(bytes, 2, 2 + size);
      read(fits);
      assert.equal(fits.offset, 2 + size);
      assert.equal(fits.remaining, 0);
      const short = new Reader(bytes, 2, 1 + size);
      assert.throws(() => read(short), malformed(2));
      assert.equal(short.offset, 2, 'a read that failed moves nothing');
    });
  }

  it('C06: takes no length that is negative, no number or larger than 32 bits', () => {
    for (const length of [-1, Number.NaN, 17, 0xffffffff, 2 ** 53, Infinity]) {
      const reader = new Reader(bytes);
      reader.skip(4, 'x');
      assert.throws(() => reader.take(length, 'x'), malformed(4));
      assert.throws(() => {
        reader.skip(length, 'x');
      }, malformed(4));
      assert.throws(() => reader.sub(length, 'x'), malformed(4));
      assert.equal(reader.offset, 4);
    }
    assert.equal(new Reader(bytes).take(0, 'x').byteLength, 0);
  });

  it('gives views, of its own part only', () => {
    const view = new Reader(bytes.subarray(4)).take(2, 'x');
    assert.deepEqual([...view], [0xf4, 0xf5]);
    assert.equal(view.buffer, bytes.buffer);
    assert.equal(new Reader(bytes.subarray(4)).u8('x'), 0xf4);
    const reader = new Reader(bytes);
    reader.skip(1, 'x');
    const sub = reader.sub(3, 'x');
    assert.equal(reader.offset, 4);
    assert.deepEqual([...sub.take(3, 'x')], [0xf1, 0xf2, 0xf3]);
    assert.throws(() => sub.u8('x'), malformed(4));
  });

  it('says how many bytes are left where they are too few', () => {
    const reader = new Reader(new Uint8Array(9)).sub(6, 'x');
    reader.skip(2, 'x');
    assert.throws(() => reader.take(5, 'x'), /needs 5 bytes, 4 are left/);
  });
  it('seeks inside its range, its end included', () => {
    const reader = new Reader(bytes, 0, 8);
    for (const offset of [8, 0, 3]) {
      reader.seek(offset, 'x');
      assert.equal(reader.offset, offset);
    }
    for (const offset of [-1, 9, 16, Number.NaN]) {
      assert.throws(() => {
        reader.seek(offset, 'x');
      }, malformed(3));
    }
    assert.equal(reader.u8('x'), 0xf3);
  });

  it('expects its end, and says what is too much', () => {
    const reader = new Reader(bytes, 14);
    assert.throws(() => {
      reader.expectEnd('x');
    }, malformed(14));
    reader.skip(2, 'x');
    reader.expectEnd('x');
  });

  it('begins inside its bytes only', () => {
    for (const [start, end] of [
      [0, 17],
      [-1, 3],
      [4, 3],
      [17, 17],
      [Number.NaN, 3],
      [0, Number.NaN],
    ] as const) {
      assert.throws(() => new Reader(bytes, start, end), RangeError);
    }
    for (const [start, end] of [
      [0, 0],
      [16, 16],
      [0, 16],
    ] as const) {
      assert.equal(new Reader(bytes, start, end).remaining, end - start);
    }
  });
});
