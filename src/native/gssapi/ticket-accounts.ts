/**
 * A cache of accounts by ticket. A client sends the same ticket until it expires, each time with a new Authenticator.
 * The name and the verified PAC of a ticket do not change. To query them again is slow: for each query, libgssapi of
 * MIT krb5 makes a krb5_context, which takes longer than the query itself.
 *
 * An entry does not sign anyone in. An account from here is used only if libgssapi has accepted a token with the same
 * ticket, byte for byte, under the same keys. The content of a ticket is encrypted with integrity protection (RFC
 * 3961), so the same ticket has the same content.
 */
import type { ApRequestHeader } from '../../formats/kerberos/kerberos-token.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { KeytabListing } from './keytab/keytab-file.ts';

/**
 * Size of all tickets that are kept, in bytes: more than a thousand usual ones. Their accounts take at most about 30
 * MiB.
 */
const MAX_BYTES = 2 * 1024 * 1024;
/** Longer tickets, in bytes, are not kept: a few of them would displace all others. */
const MAX_TICKET_BYTES = 16384;

/** The account of a ticket. */
export interface TicketAccount {
  readonly token: SecurityContextToken;
  /** `user@REALM`. */
  readonly client: string;
  /** The principal whose key decrypted the ticket: `HTTP/host@REALM`. */
  readonly service: string;
}

interface Entry {
  readonly ticket: Uint8Array;
  readonly keys: KeytabListing;
  readonly account: TicketAccount;
}

/** The accounts of one credential. Credentials do not share them, because options such as requirePac may differ. */
export class TicketAccounts {
  readonly #entries = new Map<number, Entry>();
  #bytes = 0;

  /**
   * @param keys the keytab with which the library will verify the ticket
   * @returns the account that was read from this ticket before; undefined if it was not read or is not kept
   */
  get(request: ApRequestHeader, keys: KeytabListing): TicketAccount | undefined {
    const entry = this.#entries.get(keyOf(request));
    if (entry?.keys !== keys || Buffer.compare(entry.ticket, request.ticketBytes) !== 0) return undefined;
    return entry.account;
  }

  /** Keeps the account of an accepted ticket. If there is not enough space, the oldest entries are dropped. */
  set(request: ApRequestHeader, keys: KeytabListing, account: TicketAccount): void {
    const { ticketBytes } = request;
    if (ticketBytes.byteLength > MAX_TICKET_BYTES) return;
    const key = keyOf(request);
    this.#drop(key);
    for (const first of this.#entries.keys()) {
      if (this.#bytes + ticketBytes.byteLength <= MAX_BYTES) break;
      this.#drop(first);
    }
    // Copied: the caller may reuse the token, and a view would keep the whole token alive.
    this.#entries.set(key, { ticket: new Uint8Array(ticketBytes), keys, account });
    this.#bytes += ticketBytes.byteLength;
  }

  #drop(key: number): void {
    this.#bytes -= this.#entries.get(key)?.ticket.byteLength ?? 0;
    this.#entries.delete(key);
  }
}

/**
 * The map key of a ticket: the last bytes of its ciphertext. Two tickets share them only by chance; then one is kept.
 */
function keyOf({ ticketCipher }: ApRequestHeader): number {
  const end = ticketCipher.byteLength;
  let key = 0;
  for (let index = Math.max(0, end - 4); index < end; index++) key = (key << 8) | (ticketCipher[index] ?? 0);
  return key;
}
