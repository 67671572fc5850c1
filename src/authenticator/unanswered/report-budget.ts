/**
 * How often the log says the same of a host and a kind of client. A client can write any Host, and there are many
 * clients, so that both the lines and what is remembered for them are bounded.
 */

/** Milliseconds between two lines about the same. */
const PAUSE = 60 * 60 * 1000;
/** How many are told apart within that time. All others are one. */
const MAX_ROWS = 32;

interface Row {
  toldAt: number;
  /** Not told yet. */
  count: number;
}

export class ReportBudget {
  readonly #rows = new Map<string, Row>();
  readonly #elapsed: () => number;

  /** @param elapsed Clock.elapsed */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  /**
   * Counts one more.
   *
   * @param row what it is about
   * @returns how many there are since the last line, this one included, if a line is due; undefined if it is not.
   *   `others`: it is one of those that are not told apart
   */
  count(row: string): { readonly count: number; readonly others: boolean } | undefined {
    const now = this.#elapsed();
    const others = !this.#rows.has(row) && !this.#makeRoom(now);
    const key = others ? '' : row;
    const known = this.#rows.get(key);
    if (known !== undefined && now - known.toldAt < PAUSE) {
      known.count++;
      return undefined;
    }
    const count = (known?.count ?? 0) + 1;
    // Told last, so it is the last to be forgotten.
    this.#rows.delete(key);
    this.#rows.set(key, { toldAt: now, count: 0 });
    return { count, others };
  }

  /** Forgets rows of which nothing was said for long. */
  #makeRoom(now: number): boolean {
    for (const [key, { toldAt }] of this.#rows) {
      if (this.#rows.size < MAX_ROWS) break;
      if (now - toldAt < PAUSE) return false;
      this.#rows.delete(key);
    }
    return true;
  }
}
