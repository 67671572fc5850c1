/** A request of a user who is known, whose body is encrypted (WinRM): it is admitted once its body is open. */
import type { Exchange } from '../http/exchange.ts';
import { refusedOutcome } from '../http/outcome.ts';
import type { Outcome } from '../http/outcome.ts';
import { openSealedBody } from './sealed-bodies.ts';
import { withFields } from './user-policy.ts';
import type { LoggedRequest, UserPolicy } from './user-policy.ts';

/**
 * Opens the encrypted body of a request that would be admitted. If that cannot be done, the request is refused.
 *
 * @param isClosed whether the authenticator was closed meanwhile
 */
export function openBodyOf(
  exchange: Exchange,
  verified: Outcome,
  policy: Pick<UserPolicy<never>, 'broken' | 'refused'>,
  logged: LoggedRequest,
  isClosed: () => boolean,
): Promise<Outcome> {
  if (verified.type === 'anonymous') return Promise.resolve(refusedOutcome(400));
  if (verified.type !== 'authenticated' || verified.sspi === undefined) return Promise.resolve(verified);
  return openSealedBody(exchange, verified.sspi).then(
    (problem) => {
      if (isClosed()) return refusedOutcome(401);
      if (problem === undefined) return verified;
      policy.refused(verified, logged, 'body-not-opened', problem);
      return withFields(refusedOutcome(400), verified.headers);
    },
    (error: unknown) => policy.broken(error, 'opening an encrypted body', logged, verified.headers),
  );
}
