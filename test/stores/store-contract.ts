/** What every SharedStore does, as tests. Each store has a file that calls this. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SharedStore } from '../../src/index.ts';

/** A store under test. */
export interface StoreSubject {
  readonly store: SharedStore;
  /** The same content, seen from elsewhere: another connection or process. */
  readonly other: SharedStore;
  /** Lets time pass for the store, at least this many milliseconds. */
  readonly pass: (milliseconds: number) => void | Promise<void>;
}

const MINUTE = 60_000;
/** Long enough that two operations are done meanwhile. */
const SHORT = 500;

/**
 * The suite.
 *
 * @param name of the store
 * @param subject gives the store; the same for all tests, whose keys all differ
 * @param options for `describe`; tests at the same time suit a store in which time passes by itself
 */
export function storeContract(
  name: string,
  subject: () => StoreSubject,
  options: { readonly skip?: string | false; readonly concurrency?: boolean } = {},
): void {
  describe(`${name} as a SharedStore`, options, () => {
    let keys = 0;
    const newKey = (): string => `contract:${name.replaceAll(/\W/g, '-')}:${++keys}`;
    const stores = (): readonly [SharedStore, SharedStore] => [subject().store, subject().other];

    /** Asks a hundred times at once, by turns of both. */
    const hundred = <T>(ask: (store: SharedStore) => T | Promise<T>): Promise<T[]> => {
      const [store, other] = stores();
      return Promise.all(Array.from({ length: 100 }, async (_, index) => ask(index % 2 === 0 ? store : other)));
    };

    it('claim: the first has the key, whoever asks', async () => {
      const [store, other] = stores();
      const key = newKey();
      assert.equal(await store.claim(key, MINUTE), true);
      assert.equal(await store.claim(key, MINUTE), false);
      assert.equal(await other.claim(key, MINUTE), false);
      assert.equal(await other.claim(newKey(), MINUTE), true);
    });

    it('claim: of a hundred at the same time one has the key', async () => {
      const key = newKey();
      const results = await hundred((store) => store.claim(key, MINUTE));
      assert.equal(results.filter((result) => result).length, 1);
      assert.equal(results.filter((result) => !result).length, 99);
    });

    it('claim: finds keys of the other functions taken', async () => {
      const [store, other] = stores();
      const [counter, value] = [newKey(), newKey()];
      await store.count(counter, MINUTE);
      await store.set(value, Buffer.of(1), MINUTE);
      assert.equal(await other.claim(counter, MINUTE), false);
      assert.equal(await other.claim(value, MINUTE), false);
    });

    it('claim: the key is free when its time is over, and not before', async () => {
      const [store, other] = stores();
      const [short, long] = [newKey(), newKey()];
      await store.claim(short, SHORT);
      await store.claim(long, MINUTE);
      await subject().pass(SHORT + 10);
      assert.equal(await other.claim(short, MINUTE), true);
      assert.equal(await other.claim(long, MINUTE), false);
    });

    it('claim: one that is refused does not renew the time', async () => {
      const [store, other] = stores();
      const key = newKey();
      assert.equal(await store.claim(key, SHORT), true);
      assert.equal(await other.claim(key, MINUTE), false);
      await subject().pass(SHORT + 10);
      assert.equal(await store.claim(key, MINUTE), true);
    });

    it('count: counts from 1, each number once', async () => {
      const key = newKey();
      const counts = await hundred((store) => store.count(key, MINUTE));
      assert.deepEqual(
        counts.sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, index) => index + 1),
      );
    });

    it('count: a counter keeps the time that it was made with', async () => {
      const [store, other] = stores();
      const key = newKey();
      assert.equal(await store.count(key, SHORT), 1);
      assert.equal(await other.count(key, MINUTE), 2);
      await subject().pass(SHORT + 10);
      assert.equal(await store.count(key, MINUTE), 1);
    });

    it('set, get: any bytes, as a copy', async () => {
      const [store, other] = stores();
      for (const bytes of [new Uint8Array(0), Uint8Array.from({ length: 256 }, (_, index) => index), Buffer.of(99)]) {
        const key = newKey();
        const given = Uint8Array.from(bytes);
        await store.set(key, given, MINUTE);
        given.fill(0);
        const got = await other.get(key);
        assert.deepEqual(got, Uint8Array.from(bytes));
        got?.fill(7);
        assert.deepEqual(await store.get(key), Uint8Array.from(bytes));
      }
      assert.equal(await store.get(newKey()), undefined);
      assert.equal(await store.take(newKey()), undefined);
    });

    it('set: replaces the bytes and their time', async () => {
      const [store, other] = stores();
      const key = newKey();
      await store.set(key, Buffer.of(1), SHORT);
      await other.set(key, Buffer.of(2), MINUTE);
      await subject().pass(SHORT + 10);
      assert.deepEqual(await store.get(key), Uint8Array.of(2));
      await store.set(key, Buffer.of(3), SHORT);
      await subject().pass(SHORT + 10);
      assert.equal(await other.get(key), undefined);
    });

    it('take: of a hundred at the same time one gets the bytes', async () => {
      const key = newKey();
      await subject().store.set(key, Buffer.from('once'), MINUTE);
      const taken = await hundred((store) => store.take(key));
      assert.equal(taken.filter((bytes) => bytes !== undefined).length, 1);
      assert.equal(await subject().other.get(key), undefined);
    });

    it('delete: the key is free, whatever it was; none is no error', async () => {
      const [store, other] = stores();
      const [claimed, counter, value] = [newKey(), newKey(), newKey()];
      await store.claim(claimed, MINUTE);
      await store.count(counter, MINUTE);
      await store.set(value, Buffer.of(1), MINUTE);
      for (const key of [claimed, counter, value, newKey()]) {
        await other.delete(key);
        assert.equal(await store.claim(key, MINUTE), true);
      }
    });

    it('H13: keys that look alike are different keys', async () => {
      const { store } = subject();
      const base = newKey();
      const crafted = [
        '',
        ' ',
        '\0',
        '\n',
        '*',
        '{a}',
        '/',
        '\u00e9',
        'e\u0301',
        '\ud800',
        '\ud801',
        'x'.repeat(2000),
        'x'.repeat(2001),
        '#',
        ':',
      ];
      for (const end of crafted) assert.equal(await store.claim(base + end, MINUTE), true, JSON.stringify(end));
      for (const end of crafted) assert.equal(await store.claim(base + end, MINUTE), false, JSON.stringify(end));
    });

    it('H13: a time to live that is none is an error, and nothing is kept', async () => {
      const { store } = subject();
      for (const ttl of [0, -1, 1.5, NaN, Infinity, '100' as unknown as number]) {
        const key = newKey();
        await assert.rejects(async () => store.claim(key, ttl));
        await assert.rejects(async () => store.count(key, ttl));
        await assert.rejects(async () => store.set(key, Buffer.of(1), ttl));
        assert.equal(await store.claim(key, MINUTE), true);
      }
    });
  });
}
