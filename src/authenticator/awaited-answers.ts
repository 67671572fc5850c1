/** Answers of `authorize` that requests of signed-in users wait for: `close({ drain })` lets them come. */
export class AwaitedAnswers {
  #count = 0;
  #whenNone: (() => void) | undefined;

  /** An answer that a request waits for. Gives it when it is no longer counted. */
  track<T>(answer: Promise<T>): Promise<T> {
    this.#count++;
    return answer.finally(() => {
      if (--this.#count === 0) this.#whenNone?.();
    });
  }

  /** Calls a function once, when no answer is waited for any more, or a time is over. */
  whenNone(milliseconds: number, run: () => void): void {
    const over = (): void => {
      clearTimeout(timer);
      this.#whenNone = undefined;
      run();
    };
    const timer = setTimeout(over, milliseconds);
    this.#whenNone = over;
    if (this.#count === 0) over();
  }
}
