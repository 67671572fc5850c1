/** Option `limits.nativeCalls`: how many native calls may run at once in this process. */
import { OptionError } from '../../foundation/errors.ts';
import { poolThreads, setAsyncCallLimit } from '../../native/native-calls.ts';
import type { SchemeSettings } from '../options.ts';

/**
 * Applies the option, if it is given.
 *
 * @param variable value of UV_THREADPOOL_SIZE
 * @throws OptionError if the calls would take all threads of libuv's pool: then nothing could read a file while a domain
 *   controller does not answer
 */
export function applyNativeCalls(
  { limits }: Pick<SchemeSettings, 'limits'>,
  variable: string | undefined = process.env['UV_THREADPOOL_SIZE'],
): void {
  const { nativeCalls } = limits;
  if (nativeCalls === undefined) return;
  const threads = poolThreads(variable);
  if (nativeCalls >= threads) {
    throw new OptionError(
      'limits.nativeCalls',
      `is ${nativeCalls}, but libuv's pool has ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      `Start node with UV_THREADPOOL_SIZE=${nativeCalls + 1} or more, or give ${Math.max(1, threads - 1)}.`,
    );
  }
  setAsyncCallLimit(nativeCalls);
}
