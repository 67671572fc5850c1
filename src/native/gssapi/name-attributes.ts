/** Reads the name and the PAC of the client from an accepted context, and makes its account. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import type { ApRequestHeader } from '../../formats/kerberos/kerberos-token.ts';
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
    return { refusal: 'the name of the client is not UTF-8, so it could be taken for that of another; rename it' };
  }
  const service = extensions.serviceName(frame);
  if (service === undefined) return { refusal: 'the library does not tell whose key decrypted the ticket' };
  if (client === undefined) return { refusal: 'the client has no principal name' };
  if (hasControlCharacter(client)) return { refusal: 'the name of the client holds control characters' };

  const pac = extensions.pac(frame, client);
  if (pac === 'unverified') {
    return { refusal: `the PAC in the ticket of ${client} does not verify with the key of the service` };
  }
  return accountOf({ client, service, anonymous }, pac, settings);
}
