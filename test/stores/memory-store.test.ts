import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryStore } from '../../src/index.ts';
import type { MemoryStoreOptions } from '../../src/index.ts';
import { runChecked } from '../lab/process.ts';
import { SteeredClock } from './steered-clock.ts';
import { storeContract } from './store-contract.ts';

const clock = new SteeredClock();
const contractStore = memoryStore({ clock });
storeContract('memoryStore', () => ({
  store: contractStore,
  other: contractStore,
  pass: (milliseconds) => clock.pass(milliseconds),
}));

describe('memoryStore', () => {
  it('refuses keys beyond its bound, and forgets nothing early', () => {
    const clock = new SteeredClock();
    const store = memoryStore({ clock, maximumEntries: 3 });
    store.claim('a', 1000);
    store.count('b', 5000);
    store.set('c', Buffer.from('value'), 5000);
    const full = { code: 'ERR_SSPI_AUTH_STORE', message: /full: it holds 3 keys; give it a larger maximumEntries/ };
    assert.throws(() => store.claim('d', 1000), full);
    assert.throws(() => store.count('d', 1000), full);
    assert.throws(() => store.set('d', Buffer.from('x'), 1000), full);
    assert.equal(store.claim('a', 1000), false);
    assert.equal(store.count('b', 1000), 2);
    store.set('c', Buffer.from('other'), 5000);
    clock.pass(3000);
    assert.equal(store.claim('d', 1000), true, 'the end of one makes room');
  });

  it('keeps claims when the clock of the machine is set', () => {
    const clock = new SteeredClock();
    const store = memoryStore({ clock });
    store.claim('a', 1000);
    clock.set(86_400_000);
    assert.equal(store.claim('a', 1000), false);
    clock.set(-2 * 86_400_000);
    assert.equal(store.claim('a', 1000), false);
  });

  it('sweeps what has ended with each change, and what is removed early leaves nothing behind', () => {
    const clock = new SteeredClock();
    const store = memoryStore({ clock, maximumEntries: 2000 });
    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 1000; index++) assert.equal(store.claim(`${round} ${index}`, 1000), true);
      clock.pass(1500);
    }
    for (let index = 0; index < 100_000; index++) {
      store.set(`session ${index}`, Buffer.from('x'), 8 * 3_600_000);
      assert.notEqual(store.take(`session ${index}`), undefined);
    }
    assert.equal(store.claim('last', 1000), true);
  });

  it('goes on after a long time without any change', () => {
    const clock = new SteeredClock();
    const store = memoryStore({ clock, maximumEntries: 1 });
    assert.equal(store.claim('a', 1), true);
    clock.pass(30 * 86_400_000);
    assert.equal(store.claim('b', 1), true);
  });

  it('tells how long it has existed', () => {
    const clock = new SteeredClock();
    const store = memoryStore({ clock });
    clock.pass(1234);
    clock.set(-99_999);
    assert.equal(store.age(), 1234);
  });

  const wrong: [string, unknown, RegExp][] = [
    ['no bound', { maximumEntries: 0 }, /maximumEntries.*is 0/],
    ['an unknown option', { maximumEntrys: 5 }, /maximumEntrys.*maximumEntries/],
    ['a clock that is none', { clock: 5 }, /clock/],
  ];
  for (const [name, options, message] of wrong) {
    it(`refuses ${name}`, () => {
      assert.throws(() => memoryStore(options as MemoryStoreOptions), { code: 'ERR_SSPI_AUTH_OPTION', message });
    });
  }

  for (const ttl of [0, -1, 1.5, NaN, Infinity]) {
    it(`refuses a time to live of ${ttl}`, () => {
      const store = memoryStore();
      assert.throws(() => store.claim('a', ttl), RangeError);
      assert.throws(() => store.count('a', ttl), RangeError);
      assert.throws(() => store.set('a', Buffer.alloc(1), ttl), RangeError);
    });
  }

  it('takes at most 120 bytes for each Authenticator, and keeps no process alive', async () => {
    const entries = 200_000;
    const program = `
      import { createHash } from 'node:crypto';
      import { memoryStore } from ${JSON.stringify(new URL('../../src/stores/memory-store.ts', import.meta.url).href)};
      import { StoreReplay } from ${JSON.stringify(new URL('../../src/stores/store-replay.ts', import.meta.url).href)};
      import { systemClock as clock } from ${JSON.stringify(new URL('../../src/foundation/clock.ts', import.meta.url).href)};
      const used = () => { gc(); gc(); return process.memoryUsage(); };
      const store = memoryStore();
      const replay = new StoreReplay({ store, skew: 300000, clock });
      const total = ({ heapUsed, external }) => heapUsed + external;
      replay.claim(createHash('sha256').digest(), clock.now() + 1000);
      const before = total(used());
      for (let i = 0; i < ${entries}; i++) {
        if (replay.claim(createHash('sha256').update(String(i)).digest(), clock.now() + 1000) !== true) throw new Error();
      }
      console.log((total(used()) - before) / ${entries}, store.claim('x', 1000));
    `;
    const words = ['--expose-gc', '--import', 'tsx', '--input-type=module', '-e', program];
    const [bytes] = (await runChecked(process.execPath, words)).trim().split(' ').map(Number);
    assert.ok(bytes !== undefined && bytes > 16 && bytes <= 120, `${bytes} bytes each`);
  });
});
