/** The keys of one reading of a keytab that may be used, ordered for the tickets that come. */
import { keyOfType } from '../../../crypto/kerberos/key-of-type.ts';
import type { KeytabKey } from '../../../formats/kerberos/keytab.ts';
import type { TicketHeader } from '../../../formats/kerberos/kerberos-token.ts';
import type { AcceptedServices, ServiceKey } from '../service-keys.ts';

/** Which keys may be used. */
export type KeyPolicy = Pick<AcceptedServices, 'acceptsService' | 'encryptionTypes'>;

/** Keys whose service the ticket does not name, or in another kvno, come later: by this many classes. */
const OTHER_SERVICE = 2;
const OTHER_VERSION = 1;

export class KeyRing {
  readonly #keys: readonly ServiceKey[];

  /**
   * @param entries all that was read; the keys that may be used are copied
   * @param policy which those are
   * @param last the ring before: an unchanged key stays the same object, so that tickets under it stay known
   */
  constructor(entries: readonly KeytabKey[], { acceptsService, encryptionTypes }: KeyPolicy, last?: KeyRing) {
    const keys: ServiceKey[] = [];
    for (const { name, realm, keyVersion, encryptionType, value } of entries) {
      if (!encryptionTypes.has(encryptionType) || !acceptsService(name, realm)) continue;
      const known = last === undefined ? undefined : last.#find(name, realm, keyVersion, encryptionType, value);
      const key = known ?? madeKey({ name, realm, keyVersion, encryptionType }, value);
      if (key !== undefined && !keys.includes(key)) keys.push(key);
    }
    this.#keys = keys;
  }

  get keys(): readonly ServiceKey[] {
    return this.#keys;
  }

  /** Keys for a ticket, the likeliest first. */
  candidates({ encryptionType, serviceName, realm, keyVersion }: TicketHeader): readonly ServiceKey[] {
    const service = serviceName.toLowerCase();
    const itsRealm = realm.toLowerCase();
    const distance = (key: ServiceKey): number =>
      (key.name.toLowerCase() === service && key.realm.toLowerCase() === itsRealm ? 0 : OTHER_SERVICE) +
      (keyVersion === undefined || key.keyVersion === keyVersion ? 0 : OTHER_VERSION);
    const fitting = this.#keys.filter((key) => key.encryptionType === encryptionType);
    if (fitting.length < 2) return fitting;
    // Of equally likely keys the newest is tried first.
    return fitting.sort((a, b) => distance(a) - distance(b) || b.keyVersion - a.keyVersion);
  }

  holds(key: ServiceKey): boolean {
    return this.#keys.includes(key);
  }

  /** Wipes the keys that the next ring does not have. */
  wipe(next?: KeyRing): void {
    for (const key of this.#keys) if (next?.holds(key) !== true) key.key.wipe();
  }

  #find(
    name: string,
    realm: string,
    keyVersion: number,
    encryptionType: number,
    value: Uint8Array,
  ): ServiceKey | undefined {
    return this.#keys.find(
      (held) =>
        held.name === name &&
        held.realm === realm &&
        held.keyVersion === keyVersion &&
        held.encryptionType === encryptionType &&
        Buffer.compare(held.key.value, value) === 0,
    );
  }
}

function madeKey(entry: Omit<ServiceKey, 'key'>, value: Uint8Array): ServiceKey | undefined {
  const key = keyOfType(entry.encryptionType, value);
  return key === undefined ? undefined : Object.freeze({ ...entry, key });
}
