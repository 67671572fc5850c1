/**
 * The accounts of tickets that the library has accepted. To query the name and the verified PAC again is slow: for each
 * query, libgssapi of MIT krb5 makes a krb5_context, which takes longer than the query itself.
 *
 * An account from here is used only if libgssapi has accepted a token with the same ticket under the same keys.
 */
import type { ApRequestHeader } from '../../formats/kerberos/kerberos-token.ts';
import type { KeytabListing } from '../../kerberos/diagnosis.ts';
import type { TicketAccount } from '../../kerberos/ticket-account.ts';
import { TicketCache } from '../../kerberos/ticket-cache.ts';

interface Entry {
  readonly keys: KeytabListing;
  readonly account: TicketAccount;
}

/** The accounts of one credential. Credentials do not share them, because options such as requirePac may differ. */
export class TicketAccounts {
  readonly #entries = new TicketCache<Entry>();

  /**
   * @param keys the keytab with which the library will verify the ticket
   * @returns the account that was read from this ticket before; undefined if it was not read or is not kept
   */
  get(request: ApRequestHeader, keys: KeytabListing): TicketAccount | undefined {
    const entry = this.#entries.get(request);
    return entry?.keys === keys ? entry.account : undefined;
  }

  /** Keeps the account of an accepted ticket. */
  set(request: ApRequestHeader, keys: KeytabListing, account: TicketAccount): void {
    this.#entries.set(request, { keys, account });
  }
}
