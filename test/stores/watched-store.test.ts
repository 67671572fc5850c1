import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryStore } from '../../src/index.ts';
import type { SharedStore } from '../../src/index.ts';
import { watchedStore } from '../../src/stores/watched-store.ts';
import { SteeredClock } from './steered-clock.ts';

/** A store that does what it is told, and what was said of it. */
function watched(deadline = 60_000) {
  const clock = new SteeredClock();
  const memory = memoryStore();
  let answer: () => boolean | Promise<boolean> = () => true;
  const said: string[] = [];
  const store = watchedStore(
    { ...bound(memory), claim: () => answer() },
    {
      deadline,
      clock,
      away: (error) => said.push(`away: ${(error as Error).message}`),
      back: (milliseconds, failed) => said.push(`back: ${milliseconds} ${failed}`),
    },
  );
  return { clock, store, said, answers: (next: typeof answer) => void (answer = next) };
}

function bound(store: SharedStore): SharedStore {
  return {
    claim: (key, ttl) => store.claim(key, ttl),
    count: (key, ttl) => store.count(key, ttl),
    set: (key, bytes, ttl) => store.set(key, bytes, ttl),
    get: (key) => store.get(key),
    take: (key) => store.take(key),
    delete: (key) => store.delete(key),
  };
}

describe('watchedStore', () => {
  it('stays synchronous over a store that is, and has an age and a scope where the store has', async () => {
    const { store } = watched();
    assert.equal(store.claim('a', 1000), true);
    assert.equal(store.count('b', 1000), 1);
    assert.equal(store.set('c', Buffer.of(1), 1000), undefined);
    assert.deepEqual(store.get('c'), Uint8Array.of(1));
    assert.deepEqual(store.take('c'), Uint8Array.of(1));
    assert.equal(await store.delete('c'), undefined);
    assert.equal('age' in store || 'scope' in store, false);
    const watch = { deadline: 1, clock: new SteeredClock(), away: () => undefined, back: () => undefined };
    assert.equal(watchedStore({ ...bound(memoryStore()), age: () => 7, scope: () => 's' }, watch).age?.(), 7);
    assert.equal(watchedStore({ ...bound(memoryStore()), age: () => 7, scope: () => 's' }, watch).scope?.(), 's');
  });

  it('H13: tells an outage once when it begins, and once when it is over', async () => {
    const { store, said, clock, answers } = watched();
    answers(() => Promise.reject(new Error('refused')));
    for (let times = 0; times < 3; times++) await assert.rejects(async () => store.claim('a', 1000), /refused/);
    answers(() => {
      throw new Error('thrown');
    });
    clock.pass(100);
    assert.throws(() => store.claim('a', 1000), /thrown/);
    answers(() => Promise.resolve(true));
    clock.pass(100);
    assert.equal(await store.claim('a', 1000), true);
    assert.deepEqual(said, ['away: refused'], 'another part of the store may be away still');
    clock.pass(400);
    assert.equal(await store.claim('a', 1000), true);
    assert.equal(await store.claim('a', 1000), true);
    assert.deepEqual(said, ['away: refused', 'back: 600 4']);
  });

  it('H13: an answer after the deadline is none', async () => {
    const { store, said, answers } = watched(1);
    let settle: (value: boolean) => void = () => undefined;
    answers(() => new Promise((resolve) => (settle = resolve)));
    // Holds the process: the deadline does not.
    const held = setTimeout(() => undefined, 10_000);
    await assert.rejects(async () => store.claim('a', 1000), /the store did not answer within 1 ms/);
    clearTimeout(held);
    settle(true);
    assert.equal(said.length, 1);
  });

  it('H13: sends nothing more while too many answers are late', async () => {
    const { store, answers } = watched(1);
    const settles: ((value: boolean) => void)[] = [];
    answers(() => new Promise((resolve) => settles.push(resolve)));
    const held = setTimeout(() => undefined, 10_000);
    await Promise.all(
      Array.from({ length: 8 }, async () => assert.rejects(async () => store.claim('a', 1000), /within 1 ms/)),
    );
    assert.throws(() => store.claim('a', 1000), /still owes answers/);
    assert.equal(settles.length, 8);
    settles[3]?.(true);
    await Promise.resolve();
    await assert.rejects(async () => store.claim('a', 1000), /within 1 ms/);
    assert.equal(settles.length, 9);
    clearTimeout(held);
  });

  it('H13: refuses at once while too many operations wait', async () => {
    const { store, answers } = watched();
    let settle: (value: boolean) => void = () => undefined;
    const never = new Promise<boolean>((resolve) => (settle = resolve));
    answers(() => never);
    const waiting = Array.from({ length: 4096 }, async () => store.claim('a', 1000));
    assert.throws(() => store.claim('a', 1000), /4096 operations of the store wait/);
    settle(true);
    assert.equal((await Promise.all(waiting)).length, 4096);
    answers(() => true);
    assert.equal(store.claim('a', 1000), true);
  });
});
