/** Answers of `authorize` that requests of signed-in users wait for: `close({ drain })` lets them come. */
import { DrainWaits } from './drain-waits.ts';

export class AwaitedAnswers {
  #count = 0;
  readonly #waits = new DrainWaits();

  /** An answer that a request waits for. Gives it when it is no longer counted. */
  track<T>(answer: Promise<T>): Promise<T> {
    this.#count++;
    return answer.finally(() => {
      if (--this.#count === 0) this.#waits.end();
    });
  }

  /** Calls a function once, when no answer is waited for any more, or a time is over. */
  whenNone(milliseconds: number, run: () => void): void {
    this.#waits.add(milliseconds, run);
    if (this.#count === 0) this.#waits.end();
  }
}
