/** Says for which service a client has no ticket, from the Host field: only HTTP knows which name the client meant. */
import { isIP } from 'node:net';
import type { Exchange } from '../http/exchange.ts';
import { reason } from '../identity/reasons/reason.ts';
import type { MechanismMismatch } from '../sspi/index.ts';

/** The text for a client that has offered another mechanism for want of a ticket. */
export function missingTicketText({ rawHeaders }: Pick<Exchange, 'rawHeaders'>, mismatch: MechanismMismatch): string {
  const host = hostOf(rawHeaders);
  if (host === undefined) return reason('client-has-no-ticket', mismatch);
  return isIP(host) === 0
    ? reason('client-has-no-ticket-for', { ...mismatch, spn: `HTTP/${host}` })
    : reason('client-used-address', { ...mismatch, host });
}

/** The Host field without its port, an IPv6 address without brackets. Clients write it: it may be any text. */
function hostOf(rawHeaders: readonly string[]): string | undefined {
  const index = rawHeaders.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'host');
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]+))(?::\d*)?$/.exec(rawHeaders[index + 1] ?? '') ?? [];
  return index < 0 ? undefined : (bracketed ?? plain);
}
