/** Says why no mechanism of a client can be run. */
import { reason } from '../../identity/reasons/reason.ts';
import type { Diagnosis } from '../../sspi/index.ts';
import type { InnerCredential } from './auth-data.ts';

/**
 * The diagnosis of a first token whose mechanisms are not among those of the server.
 *
 * @param sent names of the client's mechanisms, preferred first
 */
export function unmatched(sent: readonly string[], credentials: readonly InnerCredential[]): Diagnosis {
  const have = credentials.map(({ mechanism }) => mechanism);
  const mismatch = { sent, have };
  // Clients offer NTLM alone if they could get no ticket.
  return have.includes('Kerberos') && sent.includes('NTLM')
    ? { text: reason('client-has-no-ticket', mismatch), withoutTicket: mismatch }
    : { text: reason('no-common-mechanism', mismatch) };
}
