/** The counts (`nc`) that were used with each nonce. They make a recorded request useless (attack E01). */

/**
 * A count is accepted if it is lower than the highest one by less than this: requests on parallel connections overtake
 * each other (attack E20).
 */
export const NONCE_COUNT_WINDOW = 64;

/** The counts of one nonce. */
interface Entry {
  readonly issuedAt: number;
  highest: number;
  /** Bit d is set where the count `highest - d` was used; d from 0 to 31 here, from 32 to 63 in `older`. */
  recent: number;
  older: number;
}

export class NonceCounts {
  readonly #capacity: number;
  /** By nonce, the least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** Latest time of issue among the entries that were dropped. */
  #dropped = -1;

  /** @param capacity how many nonces are remembered */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many nonces are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether a count of a nonce was used, and is remembered. */
  has(nonce: string): boolean {
    return this.#entries.has(nonce);
  }

  /**
   * Marks a count as used. Call it only after the response was verified: nothing is remembered for a client that proved
   * nothing (attack E19).
   *
   * A nonce that is not remembered is new, or it was dropped. If it was issued after every dropped one, it is new. Any
   * other one is refused, and its client tries again with a new nonce (attack G06).
   *
   * @param issuedAt time of issue of the nonce, in milliseconds
   * @param count 0 to 2^32 - 1. The first is 1 (RFC 7616 section 3.4), but some clients begin with 0: one more count, that
   *   can be used once as any other
   * @param inOrder true: the count must be higher than all before it; false: it must be unused
   * @returns false if the count was used before, or it is not known to be unused
   */
  use(nonce: string, issuedAt: number, count: number, inOrder: boolean): boolean {
    const entry = this.#entries.get(nonce);
    if (entry === undefined) {
      if (issuedAt <= this.#dropped) return false;
      if (this.#entries.size >= this.#capacity) this.#dropOldest();
      this.#entries.set(nonce, { issuedAt, highest: count, recent: 1, older: 0 });
      return true;
    }
    if (!(count > entry.highest ? advance(entry, count) : !inOrder && mark(entry, entry.highest - count))) return false;
    this.#entries.delete(nonce);
    this.#entries.set(nonce, entry);
    return true;
  }

  #dropOldest(): void {
    for (const [nonce, { issuedAt }] of this.#entries) {
      this.#entries.delete(nonce);
      this.#dropped = Math.max(this.#dropped, issuedAt);
      return;
    }
  }
}

/** Moves the window so that `count` is the highest. */
function advance(entry: Entry, count: number): true {
  const by = count - entry.highest;
  if (by >= NONCE_COUNT_WINDOW) {
    entry.older = 0;
    entry.recent = 0;
  } else if (by >= 32) {
    // Shift counts are taken modulo 32, so a shift by 32 is a move between the words.
    entry.older = entry.recent << (by - 32);
    entry.recent = 0;
  } else {
    entry.older = (entry.older << by) | (entry.recent >>> (32 - by));
    entry.recent <<= by;
  }
  entry.recent |= 1;
  entry.highest = count;
  return true;
}

/** Marks the count that is `behind` lower than the highest; false if it was marked before or is below the window. */
function mark(entry: Entry, behind: number): boolean {
  if (behind >= NONCE_COUNT_WINDOW) return false;
  const bit = 1 << (behind % 32);
  if (behind < 32) {
    if ((entry.recent & bit) !== 0) return false;
    entry.recent |= bit;
  } else {
    if ((entry.older & bit) !== 0) return false;
    entry.older |= bit;
  }
  return true;
}
