/**
 * Which counts were used with which nonces, by this process and, if there is a store, by all that share it.
 *
 * What a process has taken itself it refuses whatever becomes of the store. What others have taken only the store knows:
 * one question for each request.
 */
import { createHash } from 'node:crypto';
import { isThenable } from '../../foundation/thenable.ts';
import type { SharedStore } from '../../stores/shared-store.ts';
import { SERVER_CLOCK_SKEW } from './fleet-time.ts';
import { NonceCounts } from './nonce-counts.ts';

/** Number of nonces whose counts are remembered: about 4 MB. */
const REMEMBERED_NONCES = 16_384;

/** Bytes of a hash that are in a key: nobody can find two counts with the same. */
const KEY_BYTES = 18;

export class NonceUses {
  readonly #counts = new NonceCounts(REMEMBERED_NONCES);
  readonly #store: SharedStore | undefined;
  readonly #lifetime: number;

  /**
   * @param store none if nobody shares it: then this process knows every use
   * @param nonceLifetime in milliseconds
   */
  constructor(store: SharedStore | undefined, nonceLifetime: number) {
    this.#store = store;
    // A nonce may be taken that long after its first use by the server whose clock is the furthest behind.
    this.#lifetime = nonceLifetime + 2 * SERVER_CLOCK_SKEW;
  }

  /** How many nonces this process remembers. */
  get size(): number {
    return this.#counts.size;
  }

  /** Whether this process remembers a use of the nonce. */
  has(nonce: string): boolean {
    return this.#counts.has(nonce);
  }

  /**
   * Marks a count as used: see NonceCounts.use. With a store and `inOrder`, each count must be one more than the last.
   *
   * @returns false if it was used before, or is not known to be unused
   * @throws what the store throws, or rejects with it: the count must not be accepted then
   */
  use(nonce: string, issuedAt: number, count: number, inOrder: boolean): boolean | Promise<boolean> {
    if (!this.#counts.use(nonce, issuedAt, count, inOrder)) return false;
    if (this.#store === undefined) return true;
    if (inOrder) return isExactly(count, this.#store.count(keyOf('order', nonce), this.#lifetime));
    return isExactly(true, this.#store.claim(keyOf('count', nonce, count), this.#lifetime));
  }
}

/** A store of JavaScript may answer anything: only the one answer is a yes. */
function isExactly<T>(wanted: T, answer: T | Promise<T>): boolean | Promise<boolean> {
  if (!isThenable(answer)) return answer === wanted;
  return Promise.resolve(answer).then((settled) => settled === wanted);
}

/** A nonce has nothing to hide, but a hash of it is shorter. */
function keyOf(kind: string, ...parts: readonly (string | number)[]): string {
  const hash = createHash('sha256').update(parts.join(':'), 'latin1').digest();
  return `digest-${kind}:${hash.toString('base64url', 0, KEY_BYTES)}`;
}
