/** `signOut` of the adapters that have a response of node:http. */
import type { Exchange } from '../http/exchange.ts';
import { setFields } from '../http/response.ts';
import type { RevokedUser, SignedOut } from './session-proof.ts';

/** `revoke` of the adapters: ends all sessions and standing sign-ins of a user. Gives whether the store knows it. */
export type Revoke = (user: RevokedUser) => Promise<boolean>;

/**
 * Signs the user of a request out, and sets the cookies for that on its response. Call it before the response is sent.
 *
 * @returns whether the store knows it. Never rejects
 * @throws OptionError without option `session`
 */
export function signOut(
  authenticator: { signOut(exchange: Exchange): SignedOut },
  exchange: Exchange,
  response: Parameters<typeof setFields>[0],
): Promise<boolean> {
  const { headers, told } = authenticator.signOut(exchange);
  if (!response.headersSent) setFields(response, headers);
  return told;
}
