/** What a route requires beside the sign-in: `requireUser` and `requireGroup` of the adapters. */
import { SspiAuthError } from '../foundation/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Outcome } from '../http/outcome.ts';
import type { Identity } from '../identity/identity.ts';
import { Authenticator } from './authenticator.ts';
import type { Target } from './user-policy.ts';

/** The answer to a request that does not meet what its route requires. */
export interface Requirement<R, C extends readonly unknown[]> {
  readonly authenticator: Authenticator<R, C>;
  readonly outcome: Outcome;
}

/**
 * What a request lacks for its route.
 *
 * @param user what the framework has as the user of the request
 * @param admits whether the user is admitted; left out: every user is
 * @param authenticator the authenticator of the application; left out: the one that the request has come through
 * @returns undefined where the handler may run: 401 with every challenge without a user, 403 for a user who is not
 *   admitted
 * @throws SspiAuthError `ERR_SSPI_AUTH_OPTION` if the request has come through no authenticator
 */
export function requirement<R, C extends readonly unknown[]>(
  exchange: Exchange,
  target: Target<R>,
  request: R,
  user: unknown,
  admits?: (user: Identity) => boolean,
  authenticator?: Authenticator<R, C>,
): Requirement<R, C> | undefined {
  const known = typeof user === 'object' && user !== null ? (user as Identity) : undefined;
  if (known !== undefined && (admits === undefined || admits(known))) return undefined;
  const own = authenticator ?? (Authenticator.of(exchange) as Authenticator<R, C> | undefined);
  if (own === undefined) {
    throw new SspiAuthError(
      'ERR_SSPI_AUTH_OPTION',
      'sspi-auth: a request came to requireUser or requireGroup that no sspiAuth() has seen. ' +
        'Put sspiAuth() before them, for the same routes',
    );
  }
  const outcome = known === undefined ? own.challenge(exchange, request) : own.forbid(exchange, target, request, known);
  return { authenticator: own, outcome };
}
