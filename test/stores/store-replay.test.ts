import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { memoryStore } from '../../src/index.ts';
import type { SharedStore } from '../../src/index.ts';
import { StoreReplay } from '../../src/stores/store-replay.ts';
import { START, SteeredClock } from './steered-clock.ts';

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
const skew = 300_000;
const unknown = { code: 'ERR_SSPI_AUTH_STORE' };

/** A store that outlives its processes. */
function withoutAge(store: SharedStore): SharedStore {
  return {
    claim: (key, ttl) => store.claim(key, ttl),
    count: (key, ttl) => store.count(key, ttl),
    set: (key, bytes, ttl) => store.set(key, bytes, ttl),
    get: (key) => store.get(key),
    take: (key) => store.take(key),
    delete: (key) => store.delete(key),
  };
}

/** A store that answers claims in its own way. */
function storeThat(claim: SharedStore['claim']): SharedStore {
  return { ...withoutAge(memoryStore()), claim };
}

describe('StoreReplay', () => {
  it('D01: takes each Authenticator once, also in another process that has the store', async () => {
    const clock = new SteeredClock();
    const store = memoryStore({ clock });
    const first = new StoreReplay({ store, skew, clock });
    const second = new StoreReplay({ store, skew, clock });
    assert.equal(await first.claim(hashOf('a'), START), true);
    assert.equal(await first.claim(hashOf('a'), START), false);
    assert.equal(await second.claim(hashOf('a'), START), false);
    assert.equal(await second.claim(hashOf('b'), START), true);
  });

  it('D25: refuses what it has accepted itself, for as long as anybody would, when the store has lost it', async () => {
    const clock = new SteeredClock();
    let calls = 0;
    const forgetful = storeThat(() => ++calls > 0);
    const replay = new StoreReplay({ store: forgetful, skew, clock });
    const later = new StoreReplay({ store: storeThat(() => Promise.resolve(true)), skew, clock });
    for (const memory of [replay, later]) {
      assert.equal(await memory.claim(hashOf('a'), START + skew), true);
      assert.equal(await memory.claim(hashOf('a'), START + skew), false);
    }
    clock.pass(2 * skew - 1);
    for (const memory of [replay, later]) {
      assert.equal(await memory.claim(hashOf('a'), START + skew), false);
      assert.equal(await memory.claim(hashOf('b'), START + skew), true);
    }
    assert.equal(calls, 2);
    // No answer is no acceptance.
    const away = new StoreReplay({ store: storeThat(() => Promise.reject(new Error('away'))), skew, clock });
    await assert.rejects(async () => away.claim(hashOf('a'), START + skew), unknown);
    await assert.rejects(async () => away.claim(hashOf('a'), START + skew), unknown);
  });

  it('D25: does not grow without end: of more than 262 144 it remembers the later minutes', () => {
    const clock = new SteeredClock();
    const replay = new StoreReplay({ store: storeThat(() => true), skew, clock });
    const hash = Buffer.alloc(16);
    const claim = (number: number): boolean | Promise<boolean> => {
      hash.writeUInt32LE(number, 0);
      return replay.claim(hash, START);
    };
    for (let number = 1; number <= 262_146; number++) {
      if (number === 3) clock.pass(60_000);
      assert.equal(claim(number), true);
    }
    assert.deepEqual([claim(3), claim(262_146), claim(1)], [false, false, true]);
  });

  it('D25: remembers an Authenticator for as long as anybody accepts it', async () => {
    for (const ahead of [-skew, 0, skew]) {
      const clock = new SteeredClock();
      const replay = new StoreReplay({ store: withoutAge(memoryStore({ clock })), skew, clock });
      const ctime = START + ahead;
      assert.equal(await replay.claim(hashOf('a'), ctime), true);
      clock.pass(skew + ahead);
      assert.equal(await replay.claim(hashOf('a'), ctime), false);
    }
  });

  it('D02: refuses an Authenticator that is older than a store whose content goes with its process', () => {
    const clock = new SteeredClock();
    const replay = new StoreReplay({ store: memoryStore({ clock }), skew, clock });
    clock.pass(5000);
    assert.throws(() => replay.claim(hashOf('a'), START - 1), { ...unknown, message: /is newer than the token/ });
    assert.equal(replay.claim(hashOf('b'), START), true);
  });

  it('D25: refuses what the store may have forgotten when the clock was set back', () => {
    const clock = new SteeredClock();
    const replay = new StoreReplay({ store: memoryStore({ clock }), skew, clock });
    clock.pass(1000);
    assert.equal(replay.claim(hashOf('a'), START + 1000), true);
    clock.pass(3_600_000);
    assert.equal(replay.claim(hashOf('b'), clock.now()), true);
    clock.set(-3_600_000);
    assert.throws(() => replay.claim(hashOf('a'), START + 1000), { ...unknown, message: /clock.*set back/ });
    assert.equal(replay.claim(hashOf('c'), START + 1001), true, 'a newer one is no replay');
  });

  const away: [string, SharedStore['claim'], RegExp][] = [
    ['throws', () => assert.fail('away'), /"store" answer again: it failed \(away\)/],
    ['rejects', () => Promise.reject(new Error('ECONNREFUSED')), /"store" answer again: it failed \(ECONNREFUSED\)/],
    ['rejects with no error', () => Promise.reject(new Error()), /"store" answer again: it failed/],
    ['never answers', () => new Promise(() => undefined), /"store" answer again: it did not answer within 5 ms/],
  ];
  for (const [name, claim, message] of away) {
    it(`refuses where the store ${name}`, async () => {
      const replay = new StoreReplay({ store: storeThat(claim), skew, clock: new SteeredClock(), deadline: 5 });
      await assert.rejects(async () => replay.claim(hashOf('a'), START + 1), { ...unknown, message });
    });
  }

  for (const answer of [undefined, 1, 'OK', {}, null]) {
    it(`takes no other answer than true for yes: ${JSON.stringify(answer)}`, async () => {
      for (const claim of [() => answer, () => Promise.resolve(answer)]) {
        const store = storeThat(claim as unknown as SharedStore['claim']);
        const replay = new StoreReplay({ store, skew, clock: new SteeredClock() });
        assert.equal(await replay.claim(hashOf('a'), START + 1), false);
      }
    });
  }
});
