/**
 * Reads the times of a ticket and of its client: libkrb5 only tells that they do not fit. This is done only after a
 * refusal for that reason. The library has then already decrypted the ticket with a key of the keytab.
 */
import { decodeEncTicketPart } from '../../../formats/kerberos/enc-ticket-part.ts';
import { decodeAuthenticatorTime } from '../../../formats/kerberos/kerberos-token.ts';
import type { ApRequestHeader } from '../../../formats/kerberos/kerberos-token.ts';
import type { TicketTimes } from '../../../kerberos/clocks.ts';
import type { GssapiExtensions } from '../call/extensions.ts';
import type { GssapiLibrary } from '../call/library.ts';
import { openAuthenticator, openTicket } from '../call/open-authenticator.ts';
import { OpenKeytab } from './keytab-entries.ts';

/**
 * The times of a ticket and of the token with it.
 *
 * @param keytab path of the keytab
 * @returns undefined if they cannot be found out
 */
export function ticketTimes(
  library: GssapiLibrary,
  extensions: GssapiExtensions,
  keytab: string,
  request: ApRequestHeader,
): TicketTimes | undefined {
  let times: TicketTimes | undefined;
  let opened: OpenKeytab | undefined;
  try {
    opened = new OpenKeytab(library, `FILE:${keytab}`);
    opened.forEach((entry) => {
      const key = extensions.keytabKey(entry);
      if (key.encryptionType !== request.ticket.encryptionType) return false;
      const client = openAuthenticator(library, extensions, key, request, decodeAuthenticatorTime);
      const validity = openTicket(library, extensions, key, request, validityOf);
      if (client === undefined || validity === undefined) return false;
      times = { client, ...validity };
      return true;
    });
  } catch {
    // The ticket is refused in any case. Only the diagnosis has less detail.
    return undefined;
  } finally {
    opened?.close();
  }
  return times;
}

function validityOf(encTicketPart: Uint8Array): Pick<TicketTimes, 'start' | 'end'> {
  const { startTime, endTime } = decodeEncTicketPart(encTicketPart);
  return { start: startTime, end: endTime };
}
