/** Why an account source refuses a client, for the log alone: the answer to the client is the same for all of them. */
import { reason } from '../identity/reasons/reason.ts';
import type { Refused } from './account-source.ts';

function refusal(id: 'no-such-account' | 'wrong-password' | 'account-without-secret'): Refused {
  return Object.freeze({ result: 'refused', reason: reason(id) });
}

/** Made once: a refusal takes the same time whatever its reason (attack G01). */
const refusals = Object.freeze({
  unknown: refusal('no-such-account'),
  wrong: refusal('wrong-password'),
  unusable: refusal('account-without-secret'),
});

/**
 * The refusal of a response that does not verify.
 *
 * @param stored the account; undefined: there is none
 * @param secret what would verify the response; undefined: the account has none, or is disabled
 */
export function refusalOf(stored: object | undefined, secret: object | string | undefined): Refused {
  if (stored === undefined) return refusals.unknown;
  return secret === undefined ? refusals.unusable : refusals.wrong;
}
