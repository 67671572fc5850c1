import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { equalIgnoringCase, uppercase } from '../../src/formats/uppercase.ts';

/** Every unit that uppercase changes, by what it becomes. */
const changed = new Map<number, number>();
for (let unit = 0; unit < 0x10000; unit++) {
  const upper = uppercase(String.fromCharCode(unit));
  if (upper.charCodeAt(0) !== unit) changed.set(unit, upper.charCodeAt(0));
}

describe('uppercase', () => {
  it('maps one unit to one unit, 973 of them', () => {
    assert.equal(changed.size, 973);
  });

  /** Units of the Windows 8 Upper Case Mapping Table (MS-UCODEREF 3.1.5.3), some of each block of it. */
  const mapped: readonly (readonly [lower: number, upper: number])[] = [
    [0x61, 0x41],
    [0x7a, 0x5a],
    [0xe0, 0xc0],
    [0xfe, 0xde],
    [0xff, 0x178],
    [0x101, 0x100],
    [0x17e, 0x17d],
    [0x180, 0x243],
    [0x19a, 0x23d],
    [0x1bf, 0x1f7],
    [0x1c6, 0x1c4],
    [0x1dd, 0x18e],
    [0x1f3, 0x1f1],
    [0x23c, 0x23b],
    [0x250, 0x2c6f],
    [0x26b, 0x2c62],
    [0x271, 0x2c6e],
    [0x28c, 0x245],
    [0x292, 0x1b7],
    [0x371, 0x370],
    [0x37b, 0x3fd],
    [0x3ac, 0x386],
    [0x3b1, 0x391],
    [0x3c3, 0x3a3],
    [0x3cc, 0x38c],
    [0x3d7, 0x3cf],
    [0x3f2, 0x3f9],
    [0x430, 0x410],
    [0x45f, 0x40f],
    [0x4cf, 0x4c0],
    [0x523, 0x522],
    [0x586, 0x556],
    [0x1d79, 0xa77d],
    [0x1d7d, 0x2c63],
    [0x1e01, 0x1e00],
    [0x1fb3, 0x1fbc],
    [0x1fc3, 0x1fcc],
    [0x1fe5, 0x1fec],
    [0x1ff3, 0x1ffc],
    [0x214e, 0x2132],
    [0x217f, 0x216f],
    [0x2184, 0x2183],
    [0x24e9, 0x24cf],
    [0x2c30, 0x2c00],
    [0x2c65, 0x23a],
    [0x2c66, 0x23e],
    [0x2ce3, 0x2ce2],
    [0x2d00, 0x10a0],
    [0x2d25, 0x10c5],
    [0xa641, 0xa640],
    [0xa697, 0xa696],
    [0xa723, 0xa722],
    [0xa78c, 0xa78b],
    [0xff41, 0xff21],
    [0xff5a, 0xff3a],
  ];
  for (const [lower, upper] of mapped) {
    it(`U+${lower.toString(16).padStart(4, '0')} becomes U+${upper.toString(16).padStart(4, '0')}`, () => {
      assert.equal(changed.get(lower), upper);
    });
  }

  /** Units that JavaScript or newer editions of Unicode change, and Windows does not. */
  const kept = [
    0xb5, 0xdf, 0x131, 0x149, 0x17f, 0x1c5, 0x1c8, 0x1cb, 0x1f0, 0x1f2, 0x23f, 0x240, 0x252, 0x25c, 0x265, 0x345, 0x390,
    0x3c2, 0x3d0, 0x3d1, 0x3d5, 0x3d6, 0x3f0, 0x3f1, 0x3f3, 0x3f5, 0x525, 0x527, 0x587, 0x10d0, 0x13f8, 0x1c80, 0x1e96,
    0x1e9b, 0x1fbe, 0xa661, 0xa791, 0xab53, 0xab70, 0xfb00, 0xd801, 0xdc28,
  ];
  for (const unit of kept) {
    it(`C26: U+${unit.toString(16).padStart(4, '0')} stays`, () => {
      assert.equal(changed.has(unit), false);
    });
  }

  it('where both change a unit to one unit, JavaScript agrees, but for Greek with iota', () => {
    for (const [unit, upper] of changed) {
      const other = String.fromCharCode(unit).toUpperCase();
      if (other.length === 1) assert.equal(upper, other.charCodeAt(0));
      else assert.ok(unit >= 0x1f80 && unit <= 0x1fff);
    }
  });

  it('changes a text in place and is settled after one pass', () => {
    assert.equal(uppercase(''), '');
    assert.equal(uppercase('ABC'), 'ABC');
    assert.equal(uppercase('straße🙂ı'), 'STRAßE🙂ı');
    for (const upper of changed.values()) assert.equal(changed.has(upper), false);
  });

  it('compares without case', () => {
    assert.ok(equalIgnoringCase('Corp', 'cORP'));
    assert.ok(!equalIgnoringCase('strasse', 'straße'));
    assert.ok(!equalIgnoringCase('a', 'aa'));
  });
});
