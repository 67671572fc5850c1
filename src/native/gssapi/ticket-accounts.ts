/**
 * Accounts by the ticket they were read from. A client sends the same ticket, with a new authenticator each time, until
 * the ticket expires. Its name and its verified PAC are what they were, and MIT's libgssapi makes a krb5_context, which
 * costs more than the question does, for each question about them.
 *
 * Nothing here is a result. An account counts only where libgssapi has accepted a token whose ticket is the same byte for
 * byte, under the same keys: what such a ticket holds is encrypted with integrity (RFC 3961), so it is the same too.
 */
import type { ApRequestHeader } from '../../formats/kerberos/kerberos-token.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { KeytabListing } from './keytab/keytab-file.ts';

/** Tickets that are kept, all in all: more than a thousand as a domain makes them, with accounts of some 30 MiB at most. */
const MAX_BYTES = 2 * 1024 * 1024;
/** A longer one is not kept: few of them would drive out all others. */
const MAX_TICKET_BYTES = 16384;

/** An account as libgssapi told it. */
export interface TicketAccount {
  readonly token: SecurityContextToken;
  /** `user@REALM`. */
  readonly client: string;
}

interface Entry {
  readonly ticket: Uint8Array;
  readonly keys: KeytabListing;
  readonly account: TicketAccount;
}

/** The tickets of one credential: its options, such as requirePac, decide whose account may be here. */
export class TicketAccounts {
  readonly #entries = new Map<number, Entry>();
  #bytes = 0;

  /**
   * @param keys those that the library will verify the ticket with
   * @returns the account that was read from this ticket before; undefined where there is none
   */
  get(request: ApRequestHeader, keys: KeytabListing): TicketAccount | undefined {
    const entry = this.#entries.get(keyOf(request));
    if (entry?.keys !== keys || Buffer.compare(entry.ticket, request.ticketBytes) !== 0) return undefined;
    return entry.account;
  }

  /** Keeps the account of an accepted ticket; those that came first go where there is no room. */
  set(request: ApRequestHeader, keys: KeytabListing, account: TicketAccount): void {
    const { ticketBytes } = request;
    if (ticketBytes.byteLength > MAX_TICKET_BYTES) return;
    const key = keyOf(request);
    this.#drop(key);
    for (const first of this.#entries.keys()) {
      if (this.#bytes + ticketBytes.byteLength <= MAX_BYTES) break;
      this.#drop(first);
    }
    // A copy of its own: the token is its caller's, and a slice would keep the whole token alive.
    this.#entries.set(key, { ticket: new Uint8Array(ticketBytes), keys, account });
    this.#bytes += ticketBytes.byteLength;
  }

  #drop(key: number): void {
    this.#bytes -= this.#entries.get(key)?.ticket.byteLength ?? 0;
    this.#entries.delete(key);
  }
}

/** Where to look for a ticket: the end of its cipher, which no two share but by chance, and then only one is kept. */
function keyOf({ ticketCipher }: ApRequestHeader): number {
  const end = ticketCipher.byteLength;
  let key = 0;
  for (let index = Math.max(0, end - 4); index < end; index++) key = (key << 8) | (ticketCipher[index] ?? 0);
  return key;
}
