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
  /**
   * What stands after `the keytab` in a message for the operator: the path, or `given as bytes`, or
   * `made from the password of svc-web`.
   */
  describe(): string;
  /** Why changed keys could not be loaded; the old ones are then still in use. Undefined if there is no problem. */
  readonly reloadFailure: string | undefined;
  /** Wipes all keys. Called exactly once, by the credential that was made with them. */
  free(): void;
}

/** Which keys are of use: from the options of the credential. */
export interface AcceptedServices {
  /** Whether tickets for a service are accepted (options `servicePrincipalNames`; `HTTP/…` if it is left out). */
  readonly acceptsService: (name: string, realm: string) => boolean;
  /** The accepted services as a text for the log. */
  readonly services: string;
  /** Encryption types that are accepted for tickets and keys: 17 to 20, and 23 with `allowRc4`. */
  readonly encryptionTypes: ReadonlySet<number>;
}

/**
 * Makes the keys of one credential.
 *
 * @throws OptionError `ERR_SSPI_AUTH_OPTION` if there is no usable key: no file, no accepted service, refused types alone
 */
export type KeySource = (accepted: AcceptedServices) => ServiceKeys;
