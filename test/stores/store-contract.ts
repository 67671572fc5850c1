/** What every SharedStore does, as a table: for each store, whatever it is made of. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { SharedStore } from '../../src/index.ts';

/** A store under test. */
export interface StoreUnderTest {
  readonly store: SharedStore;
  /** Lets time go by for the store, in milliseconds. */
  readonly pass: (milliseconds: number) => void | Promise<void>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const textOf = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString('utf8');

const rows: readonly [name: string, run: (tested: StoreUnderTest) => Promise<void>][] = [
  [
    'a claim is new once',
    async ({ store }) => {
      assert.equal(await store.claim('a', 1000), true);
      assert.equal(await store.claim('a', 1000), false);
      assert.equal(await store.claim('b', 1000), true);
    },
  ],
  [
    'a claim is new again when its time is over, and a refused claim does not renew it',
    async ({ store, pass }) => {
      assert.equal(await store.claim('a', 1000), true);
      await pass(600);
      assert.equal(await store.claim('a', 1000), false);
      await pass(600);
      assert.equal(await store.claim('a', 1000), true);
    },
  ],
  [
    'of many claims at once one is new',
    async ({ store }) => {
      const answers = await Promise.all(Array.from({ length: 20 }, async () => store.claim('a', 1000)));
      assert.equal(answers.filter((answer) => answer).length, 1);
    },
  ],
  [
    'a counter counts from 1',
    async ({ store }) => {
      const answers = [await store.count('a', 1000), await store.count('a', 1000), await store.count('b', 1000)];
      assert.deepEqual(answers, [1, 2, 1]);
    },
  ],
  [
    'counts at once are all different',
    async ({ store }) => {
      const answers = await Promise.all(Array.from({ length: 20 }, async () => store.count('a', 1000)));
      assert.equal(new Set(answers).size, 20);
    },
  ],
  [
    'a counter keeps the time that it was made with',
    async ({ store, pass }) => {
      await store.count('a', 1000);
      await pass(600);
      assert.equal(await store.count('a', 1000), 2);
      await pass(600);
      assert.equal(await store.count('a', 1000), 1);
    },
  ],
  [
    'bytes come back as they were, none and zeros included',
    async ({ store }) => {
      for (const value of [Uint8Array.of(), Uint8Array.of(0, 255, 10, 13, 0), bytes('größe')]) {
        await store.set('a', value, 1000);
        assert.deepEqual(Buffer.from((await store.get('a')) ?? []), Buffer.from(value));
      }
    },
  ],
  [
    'bytes are copied on the way in and out',
    async ({ store }) => {
      const given = bytes('value');
      await store.set('a', given, 1000);
      given.fill(0);
      const got = await store.get('a');
      assert.equal(textOf(got), 'value');
      got?.fill(0);
      assert.equal(textOf(await store.get('a')), 'value');
    },
  ],
  [
    'bytes end with their time, which set renews and get does not',
    async ({ store, pass }) => {
      await store.set('a', bytes('first'), 1000);
      await pass(600);
      assert.equal(textOf(await store.get('a')), 'first');
      await store.set('a', bytes('second'), 1000);
      await pass(600);
      assert.equal(textOf(await store.get('a')), 'second');
      await pass(600);
      assert.equal(await store.get('a'), undefined);
    },
  ],
  [
    'a shorter time replaces a longer one',
    async ({ store, pass }) => {
      await store.set('a', bytes('long'), 100_000);
      await store.set('a', bytes('short'), 1000);
      await pass(1200);
      assert.equal(await store.get('a'), undefined);
    },
  ],
  [
    'what is taken is gone, and one of many gets it',
    async ({ store }) => {
      await store.set('a', bytes('value'), 1000);
      const answers = await Promise.all(Array.from({ length: 20 }, async () => store.take('a')));
      assert.deepEqual(
        answers.map(textOf).filter((answer) => answer !== undefined),
        ['value'],
      );
      assert.equal(await store.get('a'), undefined);
    },
  ],
  [
    'what never was is undefined',
    async ({ store }) => {
      assert.equal(await store.get('a'), undefined);
      assert.equal(await store.take('a'), undefined);
      await store.delete('a');
    },
  ],
  [
    'delete removes a key of any kind',
    async ({ store }) => {
      await store.claim('claim', 1000);
      await store.count('count', 1000);
      await store.set('set', bytes('value'), 1000);
      for (const key of ['claim', 'count', 'set']) await store.delete(key);
      assert.equal(await store.claim('claim', 1000), true);
      assert.equal(await store.count('count', 1000), 1);
      assert.equal(await store.get('set'), undefined);
    },
  ],
  [
    'a claim finds a key of any kind taken',
    async ({ store }) => {
      await store.count('count', 1000);
      await store.set('set', bytes('value'), 1000);
      assert.equal(await store.claim('count', 1000), false);
      assert.equal(await store.claim('set', 1000), false);
    },
  ],
  [
    'keys are any text',
    async ({ store }) => {
      const keys = ['', ' ', 'a:b', 'a\nb', 'a\0b', 'ä', '__proto__', '*', 'x'.repeat(1000)];
      for (const key of keys) assert.equal(await store.claim(key, 1000), true, JSON.stringify(key));
      for (const key of keys) assert.equal(await store.claim(key, 1000), false, JSON.stringify(key));
    },
  ],
];

/**
 * Declares the tests.
 *
 * @param make makes an empty store
 */
export function storeContract(make: () => StoreUnderTest | Promise<StoreUnderTest>): void {
  for (const [name, run] of rows) it(name, async () => run(await make()));
}
