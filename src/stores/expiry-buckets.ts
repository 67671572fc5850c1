/** The keys of a store by the time at which they end. It needs no timer: a store sweeps a little with each change. */

/** Keys that end within the same span are in one bucket, in milliseconds. */
const SPAN = 1024;

/** What a bucket holds beyond the living keys, before everything is put in order again. */
const SLACK = 1024;

export class ExpiryBuckets {
  readonly #buckets = new Map<number, string[]>();
  /** How many keys the buckets hold, those that are gone meanwhile included. */
  #held = 0;
  /** Every bucket before this one is empty. */
  #next: number;

  /** @param now milliseconds on the scale of every other time here */
  constructor(now: number) {
    this.#next = spanOf(now);
  }

  /** Notes when a key ends. */
  add(key: string, expiry: number): void {
    // A bucket that was swept already is not looked at again.
    const span = Math.max(spanOf(expiry), this.#next);
    const bucket = this.#buckets.get(span);
    if (bucket === undefined) this.#buckets.set(span, [key]);
    else bucket.push(key);
    this.#held++;
  }

  /**
   * Hands out keys whose bucket is over.
   *
   * @param now the current time
   * @param most how many keys and empty buckets are looked at
   * @param ended called with each key. It may have been removed, or have another end, meanwhile
   */
  sweep(now: number, most: number, ended: (key: string) => void): void {
    const current = spanOf(now);
    if (this.#held === 0) this.#next = Math.max(this.#next, current);
    for (let left = most; left > 0 && this.#next < current; left--) {
      const bucket = this.#buckets.get(this.#next);
      const key = bucket?.pop();
      if (key === undefined) {
        this.#buckets.delete(this.#next++);
      } else {
        this.#held--;
        ended(key);
      }
    }
  }

  /**
   * Whether most of the keys here are gone: a store whose keys are removed before their time has to fill this anew, or
   * it would grow.
   *
   * @param living how many keys the store has
   */
  isStale(living: number): boolean {
    return this.#held > 2 * living + SLACK;
  }

  /** Forgets all keys, before they are added again. */
  clear(): void {
    this.#buckets.clear();
    this.#held = 0;
  }
}

function spanOf(time: number): number {
  return Math.floor(time / SPAN);
}
