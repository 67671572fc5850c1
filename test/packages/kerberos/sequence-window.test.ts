/** The numbers of received messages, at every edge of the window: RFC 2743 section 1.2.3. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SequenceWindow } from '../../../src/packages/kerberos/sequence-window.ts';

const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 500);
const WINDOW = 64;
const replay = { replay: true, order: false };
const order = { replay: true, order: true };

/** What becomes of numbers in turn. */
function taken(window: SequenceWindow, ...numbers: readonly (number | bigint)[]): boolean[] {
  return numbers.map((number) => window.take(BigInt(number)));
}

describe('the window of message numbers', () => {
  it('takes everything where neither replay nor order counts', () => {
    const window = new SequenceWindow(5, 64, { replay: false, order: false });
    assert.deepEqual(taken(window, 5, 5, 4, 99, 5), [true, true, true, true, true]);
  });

  it('takes each number once, in any order, as far back as it reaches', () => {
    const window = new SequenceWindow(100, 64, replay);
    assert.deepEqual(taken(window, 100, 102, 101, 101, 102, 100), [true, true, true, false, false, false]);
    // The highest is 100 + WINDOW: 101 is the last that is still known, 100 is too old.
    const other = new SequenceWindow(100, 64, replay);
    assert.deepEqual(taken(other, 100 + WINDOW, 100, 101, 101), [true, false, true, false]);
  });

  it('knows of a jump what was before it, up to the width of the window', () => {
    for (const [jump, isKnown] of [
      [WINDOW - 1, false],
      [WINDOW, false],
      [WINDOW + 1, false],
    ] as const) {
      const window = new SequenceWindow(0, 64, replay);
      assert.deepEqual(taken(window, 0, jump, 0), [true, true, isKnown], `a jump to ${jump}`);
      // What was never received: taken while the window has it.
      assert.equal(window.take(BigInt(jump - WINDOW + 1 > 0 ? jump - WINDOW + 1 : 1)), true);
    }
  });

  it('wants the next number alone where order counts, and goes on after a gap', () => {
    const window = new SequenceWindow(7, 64, order);
    assert.deepEqual(taken(window, 7, 8, 8, 7), [true, true, false, false]);
    // Ten is missing something; eleven follows it. Nine comes too late, for good.
    assert.deepEqual(taken(window, 10, 11, 9, 9, 12), [false, true, false, false, true]);
    assert.equal(new SequenceWindow(7, 64, order).take(8n), false);
    assert.equal(new SequenceWindow(7, 64, order).take(6n), false);
  });

  it('order without replay refuses what was there before too', () => {
    const window = new SequenceWindow(0, 64, { replay: false, order: true });
    assert.deepEqual(taken(window, 0, 0, 1), [true, false, true]);
  });

  for (const [bits, last] of [
    [32, 0xffff_ffffn],
    [64, 0xffff_ffff_ffff_ffffn],
  ] as const) {
    it(`counts on from zero after ${bits} bits`, () => {
      const first = 0xffff_fffe;
      const window = new SequenceWindow(first, bits, order);
      const after = bits === 32 ? [0n, 1n] : [0x1_0000_0000n, 0x1_0000_0001n];
      assert.deepEqual(taken(window, first, first + 1, ...after), [true, true, true, true]);
      assert.deepEqual(taken(window, ...after, first, first + 1), [false, false, false, false]);
      // The number before the first one is the farthest ahead there is: a gap.
      assert.equal(new SequenceWindow(0, bits, order).take(last), false);
    });
  }

  it('a number of more bits than there are is the same as one without them', () => {
    const window = new SequenceWindow(0, 32, replay);
    assert.deepEqual(taken(window, 1, 0x1_0000_0001n), [true, false]);
  });

  it('never takes a number twice, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 300 }), fc.boolean(), (numbers, isOrdered) => {
        const window = new SequenceWindow(3, 64, { replay: true, order: isOrdered });
        const seen = new Set<number>();
        let highest = -1;
        for (const relative of numbers) {
          const isTaken = window.take(BigInt(relative + 3));
          const isNew = !seen.has(relative) && relative > highest - WINDOW;
          const isNext = relative === highest + 1;
          assert.equal(isTaken, isOrdered ? isNext : isNew, `${relative} after ${highest}`);
          if (relative > highest - WINDOW) seen.add(relative);
          highest = Math.max(highest, relative);
        }
      }),
      { numRuns },
    );
  });
});
