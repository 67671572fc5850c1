/** A SharedStore in the memory of one process. */
import { systemClock } from '../foundation/clock.ts';
import type { Clock } from '../foundation/clock.ts';
import { SspiAuthError } from '../foundation/errors.ts';
import { defaulted, readOptions } from '../foundation/option-table.ts';
import type { OptionsOf } from '../foundation/option-table.ts';
import { clock, wholeNumber } from '../foundation/option-values.ts';
import { ExpiryBuckets } from './expiry-buckets.ts';
import type { SharedStore } from './shared-store.ts';
import { checkedTtl } from './time-to-live.ts';

export const memoryStoreOptions = {
  /** How many keys it holds. One more is an error, and whoever asked refuses the client: nothing is forgotten early. */
  maximumEntries: defaulted(wholeNumber(1, 0x7fffffff), 1_000_000),
  /** For tests: where the time comes from. */
  clock: defaulted(clock, systemClock, { otherwise: "the machine's" }),
};

/** Options of memoryStore. */
export type MemoryStoreOptions = OptionsOf<typeof memoryStoreOptions>;

/** A SharedStore that answers at once and is gone with its process. */
export interface MemoryStore extends SharedStore {
  claim(key: string, ttl: number): boolean;
  count(key: string, ttl: number): number;
  set(key: string, bytes: Uint8Array, ttl: number): void;
  get(key: string): Uint8Array | undefined;
  take(key: string): Uint8Array | undefined;
  delete(key: string): void;
  age(): number;
}

/**
 * Makes a store in memory. Other processes, worker threads and machines do not see it: behind one name with several of
 * them, give each the same store that they share.
 *
 * Keys end without timers, so it keeps no process alive.
 *
 * @throws OptionError `ERR_SSPI_AUTH_OPTION`; its functions throw SspiAuthError `ERR_SSPI_AUTH_STORE` if it is full
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { clock: time, maximumEntries } = readOptions(memoryStoreOptions, options, 'options');
  return new Store(time, maximumEntries);
}

/** A counter, or the bytes of `set`. */
interface Kept {
  /** Milliseconds on the scale of `clock.elapsed()`. */
  readonly expiry: number;
  count: number;
  readonly bytes: Uint8Array | undefined;
}

/** How many keys and empty buckets each change looks at. Two would be enough to get ahead of what is added. */
const SWEPT = 4;

class Store implements MemoryStore {
  readonly #clock: Clock;
  readonly #maximumEntries: number;
  readonly #start: number;
  /** What was claimed has its expiry alone: an object would double what it takes (about 100 bytes). */
  readonly #entries = new Map<string, number | Kept>();
  readonly #buckets: ExpiryBuckets;
  #now = 0;

  constructor(time: Clock, maximumEntries: number) {
    this.#clock = time;
    this.#maximumEntries = maximumEntries;
    this.#start = time.elapsed();
    this.#buckets = new ExpiryBuckets(0);
  }

  claim(key: string, ttl: number): boolean {
    if (this.#living(key) !== undefined) return false;
    this.#add(key, this.#now + checkedTtl(ttl), undefined);
    return true;
  }

  count(key: string, ttl: number): number {
    const entry = this.#living(key);
    if (typeof entry === 'object') return ++entry.count;
    if (entry === undefined) {
      const expiry = this.#now + checkedTtl(ttl);
      this.#add(key, expiry, { expiry, count: 1, bytes: undefined });
    }
    return 1;
  }

  set(key: string, bytes: Uint8Array, ttl: number): void {
    this.#living(key);
    const expiry = this.#now + checkedTtl(ttl);
    this.#add(key, expiry, { expiry, count: 0, bytes: Uint8Array.from(bytes) });
  }

  get(key: string): Uint8Array | undefined {
    const entry = this.#living(key);
    return typeof entry === 'object' && entry.bytes !== undefined ? Uint8Array.from(entry.bytes) : undefined;
  }

  take(key: string): Uint8Array | undefined {
    const entry = this.#living(key);
    this.#entries.delete(key);
    return typeof entry === 'object' ? entry.bytes : undefined;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  age(): number {
    return this.#clock.elapsed() - this.#start;
  }

  /** The entry of a key, if its time is not over. */
  #living(key: string): number | Kept | undefined {
    this.#now = Math.floor(this.age());
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#isLiving(entry)) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  #isLiving(entry: number | Kept): boolean {
    return (typeof entry === 'number' ? entry : entry.expiry) > this.#now;
  }

  #add(key: string, expiry: number, kept: Kept | undefined): void {
    this.#sweep(SWEPT);
    if (this.#entries.size >= this.#maximumEntries && !this.#entries.has(key)) {
      this.#sweep(Infinity);
      if (this.#entries.size >= this.#maximumEntries) {
        const problem = `memoryStore() is full: it holds ${this.#maximumEntries} keys`;
        throw new SspiAuthError('ERR_SSPI_AUTH_STORE', `sspi-auth: ${problem}; give it a larger maximumEntries`);
      }
    }
    this.#entries.set(key, kept ?? expiry);
    this.#buckets.add(key, expiry);
    if (this.#buckets.isStale(this.#entries.size)) this.#refill();
  }

  #sweep(most: number): void {
    this.#buckets.sweep(this.#now, most, (key) => {
      const entry = this.#entries.get(key);
      if (entry !== undefined && !this.#isLiving(entry)) this.#entries.delete(key);
    });
  }

  #refill(): void {
    this.#buckets.clear();
    for (const [key, entry] of this.#entries) {
      this.#buckets.add(key, typeof entry === 'number' ? entry : entry.expiry);
    }
  }
}
