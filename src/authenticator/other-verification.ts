/**
 * Verifies credentials of a scheme of the application's own. It knows no connection: neither the user of one nor a
 * handshake that is pending there has anything to do with such a request (attack H08).
 */
import { isThenable } from '../foundation/thenable.ts';
import { anonymousOutcome, VARIES_BY_CREDENTIALS } from '../http/outcome.ts';
import type { Outcome } from '../http/outcome.ts';
import { describedSignIn } from '../identity/described-sign-in.ts';
import { inTime, tooLate } from './deadline.ts';
import { otherUser } from './other-schemes.ts';
import type { OtherScheme } from './other-schemes.ts';

/** Makes the outcomes of requests that are not admitted. */
export interface OtherRefusals {
  /** The credentials are not right. */
  readonly refused: () => Outcome;
  /** The function of the application failed. */
  readonly broken: (error: unknown) => Outcome;
}

/**
 * Verifies a request that has credentials of such a scheme.
 *
 * @param milliseconds how long the application may take
 */
export function verifyOther<R>(
  other: OtherScheme<R>,
  request: R,
  milliseconds: number,
  { refused, broken }: OtherRefusals,
): Outcome | Promise<Outcome> {
  const { verify } = other;
  if (verify === 'pass') return anonymousOutcome;
  const conclude = (given: unknown): Outcome => {
    const user = otherUser(other, given);
    if (user === undefined) return refused();
    const sspi = describedSignIn(user);
    return { type: 'authenticated', user, sspi, headers: [VARIES_BY_CREDENTIALS], standing: false };
  };
  try {
    const given: unknown = verify(request);
    if (!isThenable(given)) return conclude(given);
    return inTime(given, milliseconds, () => tooLate(milliseconds))
      .then(conclude)
      .catch(broken);
  } catch (error) {
    return broken(error);
  }
}
