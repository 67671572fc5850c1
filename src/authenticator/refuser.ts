/** Option `refuse`: the application answers refusals. */
import { RefusalError } from '../http/refusal.ts';
import type { Refuser } from '../http/response.ts';
import type { Audit } from './audit.ts';
import type { Settings } from './options.ts';

/**
 * Lets the application answer a refusal.
 *
 * @param context what the framework gives a function that answers
 * @param handOn gives an error to the error handlers of the framework
 * @returns undefined where option `refuse` is not given
 */
export function refuserOf<R, C extends readonly unknown[]>(
  { refuse, limits }: Pick<Settings<R, C>, 'refuse' | 'limits'>,
  audit: Audit,
  context: C,
  handOn: (error: RefusalError) => unknown,
): Refuser | undefined {
  if (refuse === undefined) return undefined;
  const answer = refuse as (...parameters: readonly unknown[]) => unknown;
  return {
    answer: (refusal) => (refuse === 'error' ? handOn(new RefusalError(refusal)) : answer(...context, refusal)),
    milliseconds: limits.handshakeMilliseconds,
    failed: (error) => audit.failed(error, 'the refuse function'),
  };
}
