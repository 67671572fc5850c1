/** The end of an authenticator, at once or when what is under way has ended. */
import type { Clock } from '../foundation/clock.ts';
import { wholeNumber } from '../foundation/option-values.ts';
import type { AwaitedAnswers } from './awaited-answers.ts';

/** How an authenticator is closed. */
export interface CloseOptions {
  /** How long handshakes that are under way may take to end, in milliseconds. No new ones begin. */
  readonly drain: number;
}

/** `close` of an authenticator and of the adapters. */
export interface Close {
  /** Abandons every handshake and frees the credentials. */
  (): void;
  /**
   * The same when the handshakes under way have ended, and what `authorize` was asked is answered, or after `drain`
   * milliseconds; no new handshakes begin.
   */
  (options: CloseOptions): Promise<void>;
}

const milliseconds = wholeNumber(0, 0x7fffffff);

/** @throws OptionError if `drain` is no number of milliseconds */
export function drainOf({ drain }: CloseOptions): number {
  return milliseconds(drain, 'drain');
}

/**
 * Settles when all that is under way has ended, or when the time is over: first handshakes, of which no new ones begin,
 * then answers of `authorize` that requests wait for.
 *
 * @param milliseconds for both together
 */
export function drained(
  milliseconds: number,
  clock: Clock,
  handshakes: { drain(milliseconds: number, ended: () => void): void },
  answers: AwaitedAnswers,
): Promise<void> {
  const end = clock.elapsed() + milliseconds;
  return new Promise((resolve) => {
    handshakes.drain(milliseconds, () => answers.whenNone(Math.max(0, end - clock.elapsed()), resolve));
  });
}

/**
 * `close` of an adapter.
 *
 * @param before called first
 */
export function closing(authenticator: { readonly close: Close }, before: () => void = () => undefined): Close {
  function close(): void;
  function close(options: CloseOptions): Promise<void>;
  function close(options?: CloseOptions): Promise<void> | undefined {
    before();
    if (options !== undefined) return authenticator.close(options);
    authenticator.close();
    return undefined;
  }
  return close;
}
