/** Functions that wait until nothing is under way any more. Each waits for a time at most, and is called once. */
export class DrainWaits {
  readonly #ends = new Set<() => void>();

  /**
   * Calls a function when `end` is called, or a time is over.
   *
   * @param milliseconds at most
   */
  add(milliseconds: number, run: () => void): void {
    const end = (): void => {
      clearTimeout(timer);
      if (this.#ends.delete(end)) run();
    };
    const timer = setTimeout(end, milliseconds);
    this.#ends.add(end);
  }

  /** Whether a function waits. */
  get any(): boolean {
    return this.#ends.size > 0;
  }

  /** Nothing is under way now. */
  end(): void {
    for (const end of [...this.#ends]) end();
  }
}
