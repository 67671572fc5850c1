/**
 * Warnings of an account source, on their way to the log. A source is made before the authenticator that uses it, so its
 * first warnings wait for one until the current turn of the event loop is over. Without one they are process warnings.
 */
import { processWarning } from '../foundation/process-warning.ts';

export class SourceWarnings {
  readonly #own: ((message: string) => void) | undefined;
  readonly #receivers = new Set<(message: string) => void>();
  /** Warnings that wait for a receiver; undefined: none does. */
  #waiting: string[] | undefined;

  /** @param own option `onWarning` of the source: it gets all warnings, and nobody else does */
  constructor(own: ((message: string) => void) | undefined) {
    this.#own = own;
  }

  /** Hands a warning on. */
  warn(message: string): void {
    if (this.#own !== undefined) this.#own(message);
    else if (this.#receivers.size > 0) for (const receiver of this.#receivers) receiver(message);
    else if (this.#waiting !== undefined) this.#waiting.push(message);
    else {
      this.#waiting = [message];
      setImmediate(() => this.#flush(processWarning));
    }
  }

  /** Warnings go there from now on, and those that wait. */
  sendTo(receiver: (message: string) => void): void {
    this.#receivers.add(receiver);
    this.#flush(receiver);
  }

  #flush(receiver: (message: string) => void): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const message of waiting) receiver(message);
  }
}
