/**
 * Accounts that were made from a principal and its PAC. A client sends the same ticket, and so the same PAC, until it
 * expires: reading it again would only give the same value again.
 *
 * Asked after libgssapi has accepted this ticket and verified this PAC, never before: nothing here is a verdict. An entry
 * counts only for exactly the same bytes, so a new ticket with other groups is read anew.
 */
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';

const MAX_ENTRIES = 256;
/** A longer PAC is not kept: 4 MiB at most are, all in all. */
const MAX_PAC_BYTES = 16384;

interface Entry {
  readonly pac: Buffer | undefined;
  readonly anonymous: boolean;
  readonly token: SecurityContextToken;
}

/** The cache of one credential: its options, such as requirePac, decide what may be in it. */
export class AccountCache {
  readonly #entries = new Map<string, Entry>();

  /**
   * @param client `user@REALM`
   * @param pac the verified PAC; undefined where the ticket has none
   * @returns the account made from the same values before; undefined where there is none
   */
  get(client: string, anonymous: boolean, pac: Buffer | undefined): SecurityContextToken | undefined {
    const entry = this.#entries.get(client);
    if (entry?.anonymous !== anonymous) return undefined;
    const same = entry.pac === undefined || pac === undefined ? entry.pac === pac : entry.pac.equals(pac);
    return same ? entry.token : undefined;
  }

  /** Keeps an account in place of the client's last one; the entry that came first goes where there is no room. */
  set(client: string, anonymous: boolean, pac: Buffer | undefined, token: SecurityContextToken): void {
    this.#entries.delete(client);
    if (pac !== undefined && pac.byteLength > MAX_PAC_BYTES) return;
    for (const first of this.#entries.keys()) {
      if (this.#entries.size < MAX_ENTRIES) break;
      this.#entries.delete(first);
    }
    // A copy of its own: a slice would keep the whole block alive that it was cut from.
    const kept = pac === undefined ? undefined : Buffer.from(Uint8Array.from(pac).buffer);
    this.#entries.set(client, { pac: kept, anonymous, token });
  }
}
