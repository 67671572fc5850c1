import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { HashSet } from '../../src/stores/hash-set.ts';

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();

describe('HashSet', () => {
  it('holds what was added and nothing else, and takes at most 48 bytes for each', () => {
    const set = new HashSet(0x12345678);
    for (let index = 0; index < 50_000; index++) {
      assert.equal(set.has(hashOf(`${index}`)), false);
      set.add(hashOf(`${index}`));
      if (index > 1000) assert.ok(set.byteLength / set.size <= 48.5, `${set.byteLength / set.size}`);
    }
    for (let index = 0; index < 50_000; index++) assert.equal(set.has(hashOf(`${index}`)), true);
    for (let index = 50_000; index < 100_000; index++) assert.equal(set.has(hashOf(`${index}`)), false);
    assert.equal(set.size, 50_000);
  });

  it('counts a hash once', () => {
    const set = new HashSet(1);
    set.add(hashOf('a'));
    set.add(hashOf('a'));
    assert.equal(set.size, 1);
  });

  it('tells hashes apart that differ in any of their first 128 bits, and takes those of zeros', () => {
    const set = new HashSet(0);
    const zeros = Buffer.alloc(32);
    set.add(zeros);
    assert.equal(set.has(zeros), true);
    for (let bit = 1; bit < 128; bit++) {
      const other = Buffer.alloc(32);
      other[bit >> 3] = 1 << (bit & 7);
      assert.equal(set.has(other), false, `bit ${bit}`);
      set.add(other);
      assert.equal(set.has(other), true, `bit ${bit}`);
    }
  });

  it('refuses a hash that is too short', () => {
    assert.throws(() => new HashSet(0).has(Buffer.alloc(15)), RangeError);
  });
});
