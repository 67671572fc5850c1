import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ReplayCache } from '../../../src/native/gssapi/replay-cache.ts';
import type { Clock } from '../../../src/sspi/clock.ts';

const SKEW = 300;

function clockAt(): Clock & { seconds: number } {
  return {
    seconds: 0,
    now: () => 0,
    elapsed() {
      return this.seconds * 1000;
    },
  };
}

const authenticator = (number: number): Buffer => Buffer.from(`authenticator ${number}`);

describe('the replay cache of this process', () => {
  it('D01: knows an authenticator for as long as its clock could be good, and forgets it in the end', () => {
    for (const first of [0, 1, 599, 600, 601, 5000]) {
      for (const after of [0, 1, 299, 300, 301, 599, 600]) {
        const clock = clockAt();
        const cache = new ReplayCache(clock);
        cache.remember(authenticator(0), SKEW);
        clock.seconds = first;
        assert.equal(cache.remember(authenticator(1), SKEW), 'new');
        clock.seconds = first + after;
        assert.equal(cache.remember(authenticator(1), SKEW), 'replay', `${first} s, ${after} s later`);
      }
      const clock = clockAt();
      const cache = new ReplayCache(clock);
      clock.seconds = first;
      cache.remember(authenticator(1), SKEW);
      clock.seconds = first + 2 * 601 + 1;
      assert.equal(cache.remember(authenticator(1), SKEW), 'new', `${first} s`);
    }
  });

  it('D01: at any times in order, none is taken twice within twice the clock skew', () => {
    const steps = fc.array(fc.record({ wait: fc.nat(700), number: fc.nat(5) }), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (list) => {
        const clock = clockAt();
        const cache = new ReplayCache(clock);
        const taken = new Map<number, number>();
        for (const { wait, number } of list) {
          clock.seconds += wait;
          const verdict = cache.remember(authenticator(number), SKEW);
          const last = taken.get(number);
          if (last === undefined) assert.equal(verdict, 'new');
          else if (clock.seconds - last <= 2 * SKEW) assert.equal(verdict, 'replay');
          if (verdict === 'new') taken.set(number, clock.seconds);
        }
      }),
      { numRuns: Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000) },
    );
  });

  it('a longer clock skew of another library counts for all', () => {
    const clock = clockAt();
    const cache = new ReplayCache(clock);
    cache.remember(authenticator(1), 3600);
    clock.seconds = 7200;
    assert.equal(cache.remember(authenticator(1), SKEW), 'replay');
  });

  it('full, it takes nothing more, rather than to forget, until the window is over', () => {
    const clock = clockAt();
    const cache = new ReplayCache(clock, 3);
    for (let number = 0; number < 3; number++) assert.equal(cache.remember(authenticator(number), SKEW), 'new');
    assert.equal(cache.remember(authenticator(3), SKEW), 'full');
    assert.equal(cache.remember(authenticator(0), SKEW), 'replay');
    clock.seconds = 601;
    assert.equal(cache.remember(authenticator(3), SKEW), 'new');
    assert.equal(cache.remember(authenticator(0), SKEW), 'replay');
  });
});
