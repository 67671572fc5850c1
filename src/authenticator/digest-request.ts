/** A request with Digest credentials. It is verified on its own, whatever the state of its connection. */
import type { Credentials } from '../http/authorization.ts';
import type { Outcome } from '../http/outcome.ts';
import { methodOf, targetOf } from '../http/request-line.ts';
import { deleteSecurityContext, SEC_E_INVALID_TOKEN } from '../sspi/index.ts';
import type { Attempt, Conclusions } from './conclusions.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import { verifyDigestFields } from './verification.ts';
import type { VerificationResult } from './verification.ts';

/**
 * Verifies the credentials of a request.
 *
 * @param target the request target, as the adapter knows it
 */
export function acceptDigestRequest(
  conclusions: Conclusions,
  attempt: Attempt,
  scheme: OfferedScheme,
  { parameters }: Credentials,
  target: string,
): Outcome | Promise<Outcome> {
  const { exchange, connection } = attempt;
  connection.interrupt('other-scheme');
  conclusions.pending.release(connection);
  const result = verifyDigestFields(scheme, parameters, methodOf(exchange), targetOf(exchange, target));
  return conclusions.whenVerified(attempt, scheme, result, (settled) =>
    conclude(conclusions, attempt, scheme, settled),
  );
}

function conclude(
  conclusions: Conclusions,
  attempt: Attempt,
  scheme: OfferedScheme,
  result: VerificationResult,
): Outcome {
  conclusions.pending.remove(attempt.connection);
  attempt.connection.unwatch();
  switch (result.type) {
    case 'refused':
      return conclusions.refuse(attempt, result.status === SEC_E_INVALID_TOKEN ? 400 : 401, result, scheme);
    case 'continue':
      // The response was right, but its nonce was too old: the client tries again without asking its user.
      deleteSecurityContext(result.context);
      return conclusions.challenge(attempt.exchange, result.tokens);
    case 'accepted':
      return conclusions.accept(attempt, scheme, result);
  }
}
