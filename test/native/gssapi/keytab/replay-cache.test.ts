import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ReplayCache } from '../../../../src/native/gssapi/keytab/replay-cache.ts';
import type { Clock } from '../../../../src/foundation/clock.ts';

const SKEW = 300;
/** Twice the skew, and a minute. */
const WINDOW = 660;
const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);

interface TestClock extends Clock {
  seconds: number;
  /** By how many seconds it was set forward. */
  set: number;
}

function clockAt(seconds = 0): TestClock {
  return {
    seconds,
    set: 0,
    now() {
      return 1e12 + (this.seconds + this.set) * 1000;
    },
    elapsed() {
      return this.seconds * 1000;
    },
  };
}

const authenticator = (number: number): Buffer => Buffer.from(`authenticator ${number}`);

/** For what must be decided without the client's time, which costs time to find out. */
const notAsked = (): never => assert.fail('asked for the time');

describe('the replay cache of this process', () => {
  it('D01: knows an authenticator for as long as its clock could be good, and forgets it in the end', () => {
    for (const first of [0, 1, WINDOW - 1, WINDOW, WINDOW + 1, 5000]) {
      for (const after of [0, 1, 299, 300, 301, 599, 600]) {
        const clock = clockAt();
        const cache = new ReplayCache(clock);
        const time = (): number => clock.now();
        cache.remember(authenticator(0), SKEW, time);
        clock.seconds = first;
        assert.equal(cache.remember(authenticator(1), SKEW, time), 'new');
        clock.seconds = first + after;
        assert.equal(cache.remember(authenticator(1), SKEW, notAsked), 'replay', `${first} s, ${after} s later`);
      }
      const clock = clockAt();
      const cache = new ReplayCache(clock);
      clock.seconds = first;
      cache.remember(authenticator(1), SKEW, () => clock.now());
      clock.seconds = first + 2 * WINDOW + 1;
      assert.equal(cache.remember(authenticator(1), SKEW, notAsked), 'new', `${first} s`);
    }
  });

  it('G06: a clock that was ahead for a while and is set right locks nobody out, and nothing is taken twice', () => {
    const clock = clockAt(5000);
    const cache = new ReplayCache(clock);
    clock.seconds += 5000;
    clock.set = 3000;
    const ahead = clock.now();
    assert.equal(
      cache.remember(authenticator(1), SKEW, () => ahead),
      'new',
    );
    clock.set = 0;
    clock.seconds += 2 * WINDOW;
    assert.equal(
      cache.remember(authenticator(2), SKEW, () => clock.now()),
      'new',
    );
    assert.equal(
      cache.remember(authenticator(1), SKEW, () => ahead),
      'replay',
    );
  });

  it('D01, G06: however the clock is set, none that a library takes is taken twice', () => {
    const step = fc.record({
      wait: fc.nat(700),
      set: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: -3000, max: 3000 })),
      number: fc.nat(5),
      ahead: fc.integer({ min: -SKEW, max: SKEW }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (list) => {
        const clock = clockAt();
        const cache = new ReplayCache(clock);
        const times = new Map<number, number>();
        const taken = new Set<number>();
        for (const { wait, set, number, ahead } of list) {
          clock.seconds += wait;
          clock.set += set;
          const time = times.get(number) ?? clock.now() + ahead * 1000;
          times.set(number, time);
          if (Math.abs(time - clock.now()) > SKEW * 1000) continue;
          const result = cache.remember(authenticator(number), SKEW, () => time);
          if (taken.has(number)) assert.notEqual(result, 'new');
          if (result === 'new') taken.add(number);
        }
      }),
      { numRuns },
    );
  });

  it('takes every new one of a client whose clock is right, also where the clock was set back by the skew', () => {
    const step = fc.record({ wait: fc.nat(700), set: fc.nat(2 * SKEW) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), (list, back) => {
        const clock = clockAt();
        const cache = new ReplayCache(clock);
        for (const [number, { wait, set }] of list.entries()) {
          clock.seconds += wait;
          clock.set += number === back ? -SKEW : set;
          assert.equal(
            cache.remember(authenticator(number), SKEW, () => clock.now()),
            'new',
          );
        }
      }),
      { numRuns },
    );
  });

  it('D02: refuses what is older than the process, and what has no time, until the library does', () => {
    const clock = clockAt(50);
    // It has run for 20 seconds.
    const cache = new ReplayCache(clock, { start: 30_000 });
    let number = 0;
    const dated = (ago: number): string => {
      const time = clock.now() - ago * 1000;
      return cache.remember(authenticator(++number), SKEW, () => time);
    };
    assert.equal(dated(20.001), 'old');
    assert.equal(dated(300), 'old');
    assert.equal(dated(20), 'new');
    assert.equal(dated(0), 'new');
    assert.equal(dated(-300), 'new');
    assert.equal(
      cache.remember(authenticator(++number), SKEW, () => undefined),
      'old',
    );
    clock.seconds = 30 + SKEW;
    assert.equal(dated(300.001), 'old');
    assert.equal(dated(299), 'new');
    clock.seconds = 30 + SKEW + 61;
    assert.equal(cache.remember(authenticator(++number), SKEW, notAsked), 'new');
  });

  it('D02: a clock that is set right after the start locks nobody out', () => {
    for (const set of [-7200, 7200]) {
      const clock = clockAt();
      const cache = new ReplayCache(clock);
      clock.seconds = 5;
      clock.set = set;
      assert.equal(
        cache.remember(authenticator(1), SKEW, () => clock.now()),
        'new',
      );
      const before = clock.now() - 5001;
      assert.equal(
        cache.remember(authenticator(2), SKEW, () => before),
        'old',
      );
    }
  });

  it('G06: refuses what it forgot, where the clock was set back to its time', () => {
    const clock = clockAt(10_000);
    const cache = new ReplayCache(clock, { start: 0 });
    const time = clock.now();
    assert.equal(cache.remember(authenticator(1), SKEW, notAsked), 'new');
    clock.seconds += 2 * WINDOW;
    // Now it is forgotten.
    assert.equal(cache.remember(authenticator(2), SKEW, notAsked), 'new');
    clock.set = -2 * WINDOW;
    assert.equal(
      cache.remember(authenticator(1), SKEW, () => time),
      'old',
    );
    // Whoever comes after all that was forgotten is taken.
    clock.seconds += SKEW + 2;
    assert.equal(
      cache.remember(authenticator(3), SKEW, () => clock.now()),
      'new',
    );
  });

  it('G06: forgets nothing while the clock is behind', () => {
    const clock = clockAt(10_000);
    const cache = new ReplayCache(clock, { start: 0 });
    const time = clock.now();
    assert.equal(cache.remember(authenticator(1), SKEW, notAsked), 'new');
    clock.set = -5 * WINDOW;
    for (let number = 2; number < 7; number++) {
      clock.seconds += WINDOW;
      assert.equal(cache.remember(authenticator(number), SKEW, notAsked), 'new');
    }
    assert.ok(Math.abs(clock.now() - time) <= SKEW * 1000);
    assert.equal(cache.remember(authenticator(1), SKEW, notAsked), 'replay');
  });

  it('a longer clock skew of another library counts for all', () => {
    const clock = clockAt();
    const cache = new ReplayCache(clock);
    cache.remember(authenticator(1), 3600, () => clock.now());
    clock.seconds = 7200;
    assert.equal(cache.remember(authenticator(1), SKEW, notAsked), 'replay');
  });

  it('full, it takes nothing more, rather than to forget, until the window is over', () => {
    const clock = clockAt();
    const cache = new ReplayCache(clock, { maxEntries: 3 });
    const remember = (number: number): string => cache.remember(authenticator(number), SKEW, () => clock.now());
    for (let number = 0; number < 3; number++) assert.equal(remember(number), 'new');
    assert.equal(remember(3), 'full');
    assert.equal(remember(0), 'replay');
    clock.seconds = WINDOW;
    assert.equal(remember(3), 'new');
    assert.equal(remember(0), 'replay');
  });
});
