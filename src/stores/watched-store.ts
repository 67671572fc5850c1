/**
 * A store that may be away: each operation has a deadline, and an outage is told once when it begins and once when it is
 * over. While it lasts operations are still tried, so that nobody has to restart anything.
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

/** How many operations may wait for an answer. */
const MAX_WAITING = 4096;

/**
 * How many answers may be late. Then nothing more is sent until one of them comes or fails: a client that keeps commands
 * while it has no connection keeps a few, and one whose connection is dead notices that nothing comes by, since what is
 * written does not look like life.
 */
const MAX_LATE = 8;

/** An answer that is so late is not waited for any more, in milliseconds: a client may lose one. */
const LOST_MILLISECONDS = 30_000;

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
  /** Those of them whose deadline is over. */
  #late = 0;
  #outage: { readonly begun: number; lastFailure: number; failed: number } | undefined;

  constructor(watch: StoreWatch) {
    this.#watch = watch;
  }

  run<T>(operation: () => T | Promise<T>): T | Promise<T> {
    if (this.#waiting >= MAX_WAITING) throw this.#failed(storeError(`${MAX_WAITING} operations of the store wait`));
    if (this.#late >= MAX_LATE) throw this.#failed(storeError('the store still owes answers that are late'));
    let answer: T | Promise<T>;
    try {
      answer = operation();
    } catch (error) {
      throw this.#failed(error);
    }
    if (isThenable(answer)) return this.#inTime(answer);
    this.#succeeded();
    return answer;
  }

  #inTime<T>(answer: PromiseLike<T>): Promise<T> {
    const { deadline } = this.#watch;
    this.#waiting++;
    return new Promise<T>((resolve, reject) => {
      let late = false;
      let over = false;
      const end = (): void => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        this.#waiting--;
        if (late) this.#late--;
      };
      let timer = setTimeout(() => {
        late = true;
        this.#late++;
        timer = setTimeout(end, LOST_MILLISECONDS).unref();
        reject(this.#failed(storeError(`the store did not answer within ${deadline} ms`)));
      }, deadline).unref();
      answer.then(
        (value) => {
          end();
          if (late) return;
          this.#succeeded();
          resolve(value);
        },
        (error: unknown) => {
          end();
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
