/** Nonces that several servers take from each other: their counts in a store, and their time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryStore } from '../../../src/index.ts';
import type { SharedStore } from '../../../src/index.ts';
import { NonceIssuer } from '../../../src/packages/digest/nonce-issuer.ts';
import { NonceUses } from '../../../src/packages/digest/nonce-uses.ts';
import { SteeredClock } from '../../stores/steered-clock.ts';
import { testRandom } from './digest-server.ts';

const LIFE = 300_000;
const secret = new Uint8Array(32).fill(7);

describe('NonceUses with a store', () => {
  const store = memoryStore();
  const [one, two] = [new NonceUses(store, LIFE), new NonceUses(store, LIFE)];

  it('E01: a count is used once, by whichever process', () => {
    assert.equal(one.use('a', 1, 1, false), true);
    assert.equal(two.use('a', 1, 1, false), false);
    assert.equal(two.use('a', 1, 3, false), true);
    assert.equal(one.use('a', 1, 2, false), true);
    assert.equal(one.use('a', 1, 3, false), false);
    assert.equal(two.use('b', 1, 1, false), true);
  });

  it('in order: each count is one more than the last', () => {
    assert.equal(one.use('order', 1, 1, true), true);
    assert.equal(two.use('order', 1, 1, true), false);
    assert.equal(two.use('order', 1, 3, true), true);
    assert.equal(one.use('order', 1, 3, true), false);
    assert.equal(one.use('order', 1, 9, true), false);
  });

  it('H13: after the store has lost everything, each process refuses what it took itself', async () => {
    let held = memoryStore();
    const losing: SharedStore = { ...store, claim: async (key, ttl) => held.claim(key, ttl) };
    const [first, second] = [new NonceUses(losing, LIFE), new NonceUses(losing, LIFE)];
    assert.equal(await first.use('a', 1, 1, false), true);
    held = memoryStore();
    assert.equal(await first.use('a', 1, 1, false), false);
    // The window that docs/fleets.md states.
    assert.equal(await second.use('a', 1, 1, false), true);
    assert.equal(await second.use('a', 1, 1, false), false);
  });

  it('H13: an answer that is not true is a no, and an error is no answer', async () => {
    for (const answer of [false, 1, 'true', undefined, null, {}]) {
      const odd = { ...store, claim: () => answer } as unknown as SharedStore;
      assert.equal(new NonceUses(odd, LIFE).use('a', 1, 1, false), false);
      const later = { ...store, claim: () => Promise.resolve(answer) } as unknown as SharedStore;
      assert.equal(await new NonceUses(later, LIFE).use('a', 1, 1, false), false);
    }
    const failing: SharedStore = { ...store, claim: () => Promise.reject(new Error('away')) };
    const uses = new NonceUses(failing, LIFE);
    await assert.rejects(async () => uses.use('a', 1, 1, false), /away/);
    // It may have been kept all the same.
    assert.equal(await uses.use('a', 1, 1, false), false);
  });

  it('G06: a use is remembered for longer than any server takes the nonce', () => {
    const clock = new SteeredClock();
    const kept = memoryStore({ clock });
    assert.equal(new NonceUses(kept, LIFE).use('a', 1, 1, false), true);
    clock.pass(LIFE + 119_000);
    assert.equal(new NonceUses(kept, LIFE).use('a', 1, 1, false), false);
  });
});

describe('NonceIssuer of a scope', () => {
  const clock = new SteeredClock();
  const issuer = (scope: string | undefined, name: string): NonceIssuer =>
    new NonceIssuer(secret, clock, testRandom(name), scope);

  it('takes the nonces of its scope for its own, and no others', () => {
    const [one, two, other, alone] = [issuer('s', '1'), issuer('s', '2'), issuer('t', '3'), issuer(undefined, '4')];
    assert.deepEqual(two.examine(one.issue('realm'), 'realm'), {
      issuedAt: clock.now(),
      own: true,
      early: false,
      retries: 0,
    });
    for (const [from, to] of [
      [one, other],
      [one, alone],
      [alone, one],
    ] as const) {
      assert.notEqual(to.examine(from.issue('realm'), 'realm')?.own, true);
    }
  });

  it('E03: a nonce of a clock that is further ahead than servers may differ is early', () => {
    const ahead = new SteeredClock();
    const other = new NonceIssuer(secret, ahead, testRandom('5'), 's');
    ahead.set(clock.now() - ahead.now() + 60_000);
    assert.equal(issuer('s', '6').examine(other.issue('realm'), 'realm')?.early, false);
    ahead.set(1);
    assert.equal(issuer('s', '7').examine(other.issue('realm'), 'realm')?.early, true);
  });

  it('G06: its time goes on when the clock is set back, and with the clock when that gets ahead', () => {
    const steered = new SteeredClock();
    const one = new NonceIssuer(secret, steered, testRandom('8'), 's');
    const start = one.time();
    steered.set(-86_400_000);
    steered.pass(1000);
    assert.equal(one.time(), start + 1000);
    steered.set(2 * 86_400_000);
    assert.equal(one.time(), start + 1000 + 86_400_000);
  });
});
