/** Reads the name and the PAC of the client from an accepted context, and makes its account. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import type { ApRequestHeader } from '../../formats/kerberos/kerberos-token.ts';
import { reason } from '../../identity/reasons/reason.ts';
import type { GssapiExtensions } from './call/extensions.ts';
import type { Frame } from './call/frame.ts';
import type { KerberosSettings } from './call/kerberos-settings.ts';
import { accountOf } from '../../kerberos/ticket-account.ts';
import type { AccountResult } from '../../kerberos/ticket-account.ts';
import { hasControlCharacter } from '../../foundation/text.ts';

/**
 * Reads the account of the client from the source name and the context in the frame.
 *
 * If the ticket has a PAC that is not verified or not well-formed, the client is refused. Such a ticket is never
 * treated as one without a PAC (attacks D12 to D15).
 *
 * @param request the AP-REQ that was accepted
 * @param anonymous whether the flags of the context say that the client is anonymous
 * @param settings `requirePac`: whether a client without a PAC is refused too (attack D16). `ignorePac`: whether
 *   nothing is taken from the PAC (attack D17)
 */
export function readAccount(
  frame: Frame,
  extensions: GssapiExtensions,
  request: ApRequestHeader,
  anonymous: boolean,
  settings: Pick<KerberosSettings, 'requirePac' | 'ignorePac'>,
): AccountResult {
  let client: string | undefined;
  try {
    client = extensions.clientName(frame, request);
  } catch (error) {
    if (!(error instanceof MalformedTokenError)) throw error;
    return { refusal: reason('client-name-not-utf8') };
  }
  const service = extensions.serviceName(frame);
  if (service === undefined) return { refusal: reason('library-hides-service') };
  if (client === undefined) return { refusal: reason('client-has-no-name') };
  if (hasControlCharacter(client)) return { refusal: reason('client-name-unsafe') };

  const pac = extensions.pac(frame, client);
  if (pac === 'unverified') {
    return { refusal: reason('pac-unverified', { client }) };
  }
  return accountOf({ client, service, anonymous }, pac, settings);
}
