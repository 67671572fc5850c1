/** What the processes and machines behind one name share: claims, counters and small values, each with a time to live. */
import { OptionError } from '../foundation/errors.ts';
import { shown } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';

/**
 * A store that several processes, or several machines, may share. `memoryStore()` is one for a single process.
 *
 * Each function is atomic on its key: of two calls at the same time, one comes first. Each may answer at once or by a
 * promise. One that cannot answer throws or rejects; whoever asked then refuses the client.
 *
 * A key belongs to the function that made it: `claim`, `count` or `set`. What `count` or `get` give for the key of
 * another is not defined; `claim` finds any key taken, and `delete` removes any.
 *
 * `ttl` is the time to live in milliseconds, a whole number above 0. It runs from when the key is made; `set` makes it
 * anew, `count` does not. A key whose time is over does not exist.
 */
export interface SharedStore {
  /**
   * Takes a key that nobody has.
   *
   * @param key any text
   * @param ttl time to live in milliseconds, if the key is made
   * @returns true if the key was made; false if it exists
   */
  claim(key: string, ttl: number): boolean | Promise<boolean>;
  /**
   * Adds one to a counter.
   *
   * @param ttl time to live in milliseconds, if the counter is made; one that exists keeps its time
   * @returns the new value: 1 for a counter that was made
   */
  count(key: string, ttl: number): number | Promise<number>;
  /** Keeps a copy of bytes, in place of what the key had. */
  set(key: string, bytes: Uint8Array, ttl: number): void | Promise<void>;
  /** The bytes of `set`, as a copy; undefined if there is no such key. */
  get(key: string): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** The same, and the key is gone: of several calls one gets the bytes. */
  take(key: string): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Removes a key. It is no error if there is none. */
  delete(key: string): void | Promise<void>;
  /**
   * For a store whose content goes with its process: how long it has existed, in milliseconds, by a clock that never
   * goes back. What happened before, it cannot know. A store that outlives its users leaves this out.
   */
  age?(): number;
  /**
   * For such a store too: its random name, the same for all who share it. What one of them has issued is good for the
   * others alone. A store with an `age` and without this is taken for one that nobody shares.
   */
  scope?(): string;
}

const functions = ['claim', 'count', 'set', 'get', 'take', 'delete'] as const;

/** Reads an option that is a SharedStore. */
export const sharedStore: Reader<SharedStore> = (value, option) => {
  const candidate = (value ?? {}) as Readonly<Record<string, unknown>>;
  const missing = functions.filter((name) => typeof candidate[name] !== 'function');
  if (missing.length > 0) {
    const problem = missing.length === functions.length ? shown(value) : `has no function ${missing.join(', ')}`;
    throw new OptionError(
      option,
      problem,
      `Give redisStore(), clusterStore() or memoryStore(), or an object with ${functions.join(', ')}.`,
    );
  }
  return value as SharedStore;
};
