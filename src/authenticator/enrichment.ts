/**
 * Option `enrich`: what the application adds to an identity before it is remembered. It is part of the sign-in: as long
 * as it is not there, the client is not signed in, and if it does not come, it is refused with 500.
 */
import { OptionError } from '../foundation/errors.ts';
import { isThenable } from '../foundation/thenable.ts';
import type { Identity, NameFormat } from '../identity/identity.ts';
import { admit } from './admission.ts';
import type { Admission } from './admission.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import type { AcceptedResult, VerificationResult } from './verification.ts';

/** Option `enrich`, for any request. */
export type Enrich = (user: Identity, request: never) => unknown;

/** The user of a result, or why there is none. */
export type EnrichedAdmission = Admission | { readonly type: 'failed'; readonly error: unknown };

const admissions = new WeakMap<AcceptedResult, EnrichedAdmission>();

/** What was found of a result already; undefined where nothing is added to identities. */
export function enrichedAdmission(result: AcceptedResult): EnrichedAdmission | undefined {
  return admissions.get(result);
}

/**
 * Lets the application add to the identity of a result, if it is one.
 *
 * @param begun called when a promise has to be waited for
 * @returns the same result, now or later, with its admission
 */
export function enriched(
  enrich: Enrich,
  request: unknown,
  scheme: OfferedScheme,
  result: VerificationResult,
  nameFormat: NameFormat,
  begun: () => void,
): VerificationResult | Promise<VerificationResult> {
  if (result.type !== 'accepted') return result;
  const admission = admit(scheme, result, nameFormat);
  const found = (settled: EnrichedAdmission): VerificationResult => {
    admissions.set(result, settled);
    return result;
  };
  const failed = (error: unknown): VerificationResult => found({ type: 'failed', error });
  if (admission.type === 'refused') return found(admission);
  const given = (user: unknown): VerificationResult => found({ ...admission, shown: userOf(user) });
  try {
    const user: unknown = enrich(admission.user, request as never);
    if (!isThenable(user)) return given(user);
    begun();
    return Promise.resolve(user).then(given).catch(failed);
  } catch (error) {
    return failed(error);
  }
}

function userOf(user: unknown): Identity {
  if (typeof user === 'object' && user !== null) return user as Identity;
  const problem = user === null ? 'gave null' : `gave a value of type ${typeof user}`;
  throw new OptionError('enrich', problem, 'Give the user: (user) => ({ ...user, roles: [] }).');
}
