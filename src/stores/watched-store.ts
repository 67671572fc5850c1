/**
 * A store that may be away: each operation has a deadline, and an outage is told once when it begins and once when it is
 * over. While it lasts every operation is still tried, so that nobody has to restart anything.
 */
import type { Clock } from '../foundation/clock.ts';
import { isThenable } from '../foundation/thenable.ts';
import { storeError } from './store-error.ts';
import type { SharedStore } from './shared-store.ts';

/** What is told of a store. */
export interface StoreWatch {
  /** How long an operation may take, in milliseconds. */
  readonly deadline: number;
  readonly clock: Clock;
  /** An operation has failed, the first in a while. */
  readonly away: (error: unknown) => void;
  /**
   * Operations succeed again.
   *
   * @param milliseconds since the outage began
   * @param failed how many operations have failed
   */
  readonly back: (milliseconds: number, failed: number) => void;
}

/** An outage is over when an operation succeeds and none has failed for this long, in milliseconds. */
const QUIET_MILLISECONDS = 500;

/**
 * How many operations may wait for an answer. A client without a connection may keep them all, and a store that answers
 * has fewer.
 */
const MAX_WAITING = 4096;

/** Watches a store. Operations that fail or are late throw, or reject, as SharedStore says. */
export function watchedStore(store: SharedStore, watch: StoreWatch): SharedStore {
  const watched = new Watch(watch);
  return Object.freeze({
    claim: (key: string, ttl: number) => watched.run(() => store.claim(key, ttl)),
    count: (key: string, ttl: number) => watched.run(() => store.count(key, ttl)),
    set: (key: string, bytes: Uint8Array, ttl: number) => watched.run(() => store.set(key, bytes, ttl)),
    get: (key: string) => watched.run(() => store.get(key)),
    take: (key: string) => watched.run(() => store.take(key)),
    delete: (key: string) => watched.run(() => store.delete(key)),
    ...(store.age === undefined ? undefined : { age: () => store.age?.() ?? 0 }),
    ...(store.scope === undefined ? undefined : { scope: () => store.scope?.() ?? '' }),
  });
}

class Watch {
  readonly #watch: StoreWatch;
  /** Operations that the store has not answered, late ones included. */
  #waiting = 0;
  #outage: { readonly begun: number; lastFailure: number; failed: number } | undefined;

  constructor(watch: StoreWatch) {
    this.#watch = watch;
  }

  run<T>(operation: () => T | Promise<T>): T | Promise<T> {
    if (this.#waiting >= MAX_WAITING) throw this.#failed(storeError(`${MAX_WAITING} operations of the store wait`));
    let answer: T | Promise<T>;
    try {
      answer = operation();
    } catch (error) {
      throw this.#failed(error);
    }
    if (isThenable(answer)) return this.#inTime(answer as PromiseLike<T>);
    this.#succeeded();
    return answer;
  }

  #inTime<T>(answer: PromiseLike<T>): Promise<T> {
    const { deadline } = this.#watch;
    this.#waiting++;
    return new Promise<T>((resolve, reject) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        reject(this.#failed(storeError(`the store did not answer within ${deadline} ms`)));
      }, deadline).unref();
      answer.then(
        (value) => {
          this.#waiting--;
          clearTimeout(timer);
          if (late) return;
          this.#succeeded();
          resolve(value);
        },
        (error: unknown) => {
          this.#waiting--;
          clearTimeout(timer);
          if (!late) reject(this.#failed(error));
        },
      );
    });
  }

  #failed(error: unknown): Error {
    const now = this.#watch.clock.elapsed();
    if (this.#outage === undefined) {
      this.#outage = { begun: now, lastFailure: now, failed: 1 };
      this.#watch.away(error);
    } else {
      this.#outage.lastFailure = now;
      this.#outage.failed++;
    }
    return error instanceof Error ? error : storeError('the store failed without a reason');
  }

  #succeeded(): void {
    const outage = this.#outage;
    if (outage === undefined) return;
    const now = this.#watch.clock.elapsed();
    if (now - outage.lastFailure < QUIET_MILLISECONDS) return;
    this.#outage = undefined;
    this.#watch.back(Math.round(now - outage.begun), outage.failed);
  }
}
