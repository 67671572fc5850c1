/** The end of an authenticator, at once or when what is under way has ended. */
import { wholeNumber } from '../foundation/option-values.ts';

/** How an authenticator is closed. */
export interface CloseOptions {
  /** How long handshakes that are under way may take to end, in milliseconds. No new ones begin. */
  readonly drain: number;
}

/** `close` of an authenticator and of the adapters. */
export interface Close {
  /** Abandons every handshake and frees the credentials. */
  (): void;
  /** The same when the handshakes under way have ended, or after `drain` milliseconds; no new ones begin. */
  (options: CloseOptions): Promise<void>;
}

const milliseconds = wholeNumber(0, 0x7fffffff);

/** @throws OptionError if `drain` is no number of milliseconds */
export function drainOf({ drain }: CloseOptions): number {
  return milliseconds(drain, 'drain');
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
