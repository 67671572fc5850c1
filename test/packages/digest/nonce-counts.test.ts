import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NONCE_COUNT_WINDOW, NonceCounts } from '../../../src/packages/digest/nonce-counts.ts';

const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);

/** Uses counts of one nonce in a row; gives what each was answered. */
const run = (counts: readonly number[], inOrder = false): boolean[] => {
  const table = new NonceCounts(10);
  return counts.map((count) => table.use('n', 0, count, inOrder));
};

describe('NonceCounts', () => {
  const cases: [string, number[], boolean[]][] = [
    ['E01: the same count twice', [1, 1], [true, false]],
    ['counts that grow', [1, 2, 3], [true, true, true]],
    ['E20: two counts that overtook each other', [2, 1, 1, 2, 3], [true, true, false, false, true]],
    ['E02: counts from zero', [0, 0, 1, 0, 2], [true, false, true, false, true]],
    ['E02: zero behind the window', [64, 0], [true, false]],
    ['a first count that is not 1', [7, 6, 8, 7], [true, true, true, false]],
    ['E20: the far end of the window', [64, 1, 1], [true, true, false]],
    ['E02: a count behind the window', [65, 1, 2], [true, false, true]],
    [
      'a jump of 31, 32, 33 and all of them back',
      [1, 32, 64, 97, 34, 64, 32],
      [true, true, true, true, true, false, false],
    ],
    ['E02: counts are unsigned', [0x7fffffff, 0x80000000, 0xffffffff], [true, true, true]],
    ['E02: no wrap after ffffffff', [0xffffffff, 1, 0xffffffff, 0xfffffffe], [true, false, false, true]],
    ['E02: no 16-bit counter', [0x10001, 1, 0x20001], [true, false, true]],
  ];
  for (const [name, counts, expected] of cases) {
    it(name, () => assert.deepEqual(run(counts), expected));
  }

  it('takes only growing counts where order is required', () => {
    assert.deepEqual(run([2, 1, 2, 3, 5, 4], true), [true, false, false, true, true, false]);
  });

  it('E20: says yes to each count at most once, and to each fresh one inside the window (against a set)', () => {
    const step = fc.oneof(
      fc.integer({ min: -70, max: 70 }),
      fc.constantFrom(-64, -63, -33, -32, -31, 31, 32, 33, 63, 64),
    );
    const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const table = new NonceCounts(1);
      const used = new Set<number>();
      let highest = 0;
      let at = 1000;
      for (const by of steps) {
        at = Math.max(1, (by > 0 ? highest || 1000 : at) + by);
        const expected = !used.has(at) && (used.size === 0 || at > highest - NONCE_COUNT_WINDOW);
        assert.equal(table.use('n', 0, at, false), expected, `${at} after ${highest}`);
        if (expected) used.add(at);
        if (expected) highest = Math.max(highest, at);
      }
    });
    fc.assert(property, { numRuns });
  });

  it('keeps the counts of different nonces apart', () => {
    const table = new NonceCounts(10);
    assert.equal(table.use('a', 0, 1, false), true);
    assert.equal(table.use('b', 0, 1, false), true);
    assert.equal(table.use('a', 0, 1, false), false);
  });

  it('E19: remembers no more than its capacity, and drops the least recently used', () => {
    const table = new NonceCounts(3);
    for (const [index, nonce] of ['a', 'b', 'c'].entries()) table.use(nonce, index, 1, false);
    assert.equal(table.use('a', 0, 2, false), true);
    assert.equal(table.use('d', 3, 1, false), true);
    assert.equal(table.size, 3);
    assert.equal(table.use('a', 0, 3, false), true, 'used of late, so still known');
    assert.equal(table.use('b', 1, 2, false), false, 'dropped');
  });

  it('G06: accepts nothing of a nonce that was dropped, nor of an unknown one that is not younger', () => {
    const table = new NonceCounts(1);
    assert.equal(table.use('a', 10, 1, false), true);
    assert.equal(table.use('b', 11, 1, false), true);
    assert.equal(table.use('a', 10, 1, false), false);
    assert.equal(table.use('a', 10, 2, false), false);
    assert.equal(table.use('never seen', 10, 1, false), false);
    assert.equal(table.use('b', 11, 2, false), true, 'what is known stays');
    assert.equal(table.use('younger', 11, 1, false), true);
  });
});
