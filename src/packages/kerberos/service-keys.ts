/**
 * The keys of the service, which decrypt the tickets of its clients. Where they come from (a keytab file, bytes, a
 * password) is not known here.
 */
import type { KerberosKey } from '../../crypto/kerberos/kerberos-key.ts';
import type { KeytabEntry } from '../../formats/kerberos/keytab.ts';
import type { TicketHeader } from '../../formats/kerberos/kerberos-token.ts';

/** One key of the service. */
export interface ServiceKey extends KeytabEntry {
  /** Not wiped by those who use it. */
  readonly key: KerberosKey;
}

/** A source of keys. Every function answers at once: a ticket does not wait. */
export interface ServiceKeys {
  /**
   * The keys to try for a ticket, the likeliest first: those of its encryption type whose principal is accepted. First
   * those of the service and kvno that the ticket names in the clear, then all others, because the name may be an alias
   * and the kvno may be wrong (an export of a read-only domain controller, a kvno of 8 bits).
   *
   * This is called for each new ticket, so it is also where a file is looked at from time to time.
   */
  candidates(ticket: TicketHeader): readonly ServiceKey[];
  /**
   * Whether a key that `candidates` gave once is still one of them. This is asked for each ticket that is known from
   * before (attack D23). An object that was made anew from an unchanged file counts as the same key if it is the same
   * object; so sources keep the object of an unchanged key.
   */
  holds(key: ServiceKey): boolean;
  /**
   * Looks for new keys after a ticket was refused for lack of one. Bounded: clients must not be able to have a file read
   * for every token.
   *
   * @returns whether the keys changed, so that the ticket is worth another try
   */
  refreshAfterRefusal(): boolean;
  /** Names, kvno and types of all keys, also of services that are not accepted: for the diagnosis of a refusal. */
  entries(): readonly KeytabEntry[];
  /** What the source is called in a message for the operator: `the keytab /etc/http.keytab`, `the keys of option "keytab"`. */
  describe(): string;
  /** Why changed keys could not be loaded; the old ones are then still in use. Undefined if there is no problem. */
  readonly reloadFailure: string | undefined;
  /** Wipes all keys. Called exactly once, by the credential that was made with them. */
  free(): void;
}
