/** The Authenticators that were accepted, as claims in a SharedStore: for several machines behind one name. */
import { systemRandom } from '../foundation/clock.ts';
import type { Clock } from '../foundation/clock.ts';
import type { SspiAuthError } from '../foundation/errors.ts';
import { isThenable } from '../foundation/thenable.ts';
import { reason } from '../identity/reasons/reason.ts';
import { claimLife } from './replay-periods.ts';
import { HashSet } from './hash-set.ts';
import type { SharedStore } from './shared-store.ts';
import { StoreAwayError, storeError } from './store-error.ts';

/** Options of the replay memory in a store. */
export interface StoreReplayOptions {
  readonly store: SharedStore;
  /** Clock skew that is allowed, in milliseconds. */
  readonly skew: number;
  readonly clock: Clock;
  /** How long the store may take to answer, in milliseconds. Then the token is refused. Default: 5000. */
  readonly deadline?: number;
}

/** Claims that were made in the same minute. */
interface ClaimedMinute {
  /** Milliseconds on the scale of `clock.elapsed()`. */
  readonly begun: number;
  /** The latest time in one of their Authenticators, in milliseconds since 1970-01-01 UTC. */
  latest: number;
  /** Those that were accepted, where the store may forget them. */
  accepted: HashSet | undefined;
}

const MINUTE = 60_000;
/** So that no other user of the store has the same key. */
const PREFIX = 'krb5:';
const HASH_BYTES = 16;
/** How many of its own Authenticators a process remembers beside the store: up to 12 MB. */
const REMEMBERED = 262_144;

export class StoreReplay {
  readonly #store: SharedStore;
  readonly #life: number;
  readonly #clock: Clock;
  readonly #deadline: number;
  /** Claims of this process that the store still has, oldest first. */
  readonly #minutes: ClaimedMinute[] = [];
  /** No Authenticator that the store has forgotten has a later time, in milliseconds since 1970-01-01 UTC. */
  #forgotten = -Infinity;
  /** How many the minutes remember. */
  #remembered = 0;

  constructor({ store, skew, clock, deadline = 5000 }: StoreReplayOptions) {
    this.#store = store;
    this.#life = claimLife(skew);
    this.#clock = clock;
    this.#deadline = deadline;
  }

  /**
   * Remembers an Authenticator.
   *
   * @param hash of its ciphertext, at least 16 bytes
   * @param ctime time of the client in it, in milliseconds since 1970-01-01 UTC
   * @returns true if it was not accepted before
   * @throws SspiAuthError `ERR_SSPI_AUTH_STORE`, or rejects with it, if that cannot be known: it must be refused then
   */
  claim(hash: Buffer, ctime: number): boolean | Promise<boolean> {
    const elapsed = this.#clock.elapsed();
    this.#checkAge(ctime, elapsed);
    // The store may have been emptied, or have failed over to a server that did not know it.
    if (this.#minutes.some(({ accepted }) => accepted?.has(hash) === true)) return false;
    let claimed: unknown;
    try {
      claimed = this.#store.claim(keyOf(hash), this.#life);
    } catch (error) {
      throw away('failed', error);
    }
    const minute = this.#note(ctime, elapsed);
    // A store of JavaScript may answer anything. Only true means that the token is new.
    if (isThenable(claimed)) {
      const kept = Buffer.from(hash);
      return this.#settled(claimed).then((isNew) => {
        if (isNew) this.#remember(kept, minute);
        return isNew;
      });
    }
    const answer: unknown = claimed;
    if (answer === true) this.#remember(hash, minute);
    return answer === true;
  }

  #checkAge(ctime: number, elapsed: number): void {
    const age = this.#store.age?.();
    if (age !== undefined && ctime < this.#clock.now() - age) {
      throw failed(reason('store-newer'));
    }
    for (let first = this.#minutes[0]; first !== undefined; first = this.#minutes[0]) {
      if (elapsed - first.begun < this.#life) break;
      this.#forgotten = Math.max(this.#forgotten, first.latest);
      this.#remembered -= first.accepted?.size ?? 0;
      this.#minutes.shift();
    }
    if (ctime <= this.#forgotten) {
      throw failed(reason('replay-forgotten', { place: 'option "store"' }));
    }
  }

  #note(ctime: number, elapsed: number): ClaimedMinute {
    const last = this.#minutes.at(-1);
    if (last !== undefined && elapsed - last.begun < MINUTE) {
      last.latest = Math.max(last.latest, ctime);
      return last;
    }
    const minute = { begun: elapsed, latest: ctime, accepted: undefined };
    this.#minutes.push(minute);
    return minute;
  }

  /** What goes with its process has forgotten nothing that this one has not. */
  #remember(hash: Buffer, minute: ClaimedMinute): void {
    if (this.#store.age !== undefined || !this.#minutes.includes(minute)) return;
    if (this.#remembered >= REMEMBERED) {
      const oldest = this.#minutes.find(({ accepted }) => accepted !== undefined);
      if (oldest === undefined || oldest === minute) return;
      this.#remembered -= oldest.accepted?.size ?? 0;
      oldest.accepted = undefined;
    }
    minute.accepted ??= new HashSet(randomSeed());
    minute.accepted.add(hash);
    this.#remembered++;
  }

  async #settled(claimed: PromiseLike<unknown>): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(away(`did not answer within ${this.#deadline} ms`)), this.#deadline);
    });
    try {
      return (await Promise.race([claimed, late])) === true;
    } catch (error) {
      throw error instanceof StoreAwayError ? error : away('failed', error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The key of the last claim, in bytes; each claim overwrites it. */
const lastKey = Buffer.from(PREFIX + 'x'.repeat(HASH_BYTES * 2), 'latin1');

/** One flat string: joined by `+` or in a template it would keep its parts, and memoryStore() twice the memory. */
function keyOf(hash: Buffer): string {
  const end = PREFIX.length + lastKey.write(hash.toString('base64url', 0, HASH_BYTES), PREFIX.length, 'latin1');
  return lastKey.toString('latin1', 0, end);
}

function randomSeed(): number {
  const seed = systemRandom(4);
  return new DataView(seed.buffer, seed.byteOffset).getUint32(0);
}

function failed(text: string): SspiAuthError {
  return storeError(text);
}

function away(problem: string, cause?: unknown): StoreAwayError {
  const detail = cause instanceof Error ? `${problem} (${cause.message.replace(/^sspi-auth: /, '')})` : problem;
  return new StoreAwayError(reason('store-away', { detail }), { cause });
}
