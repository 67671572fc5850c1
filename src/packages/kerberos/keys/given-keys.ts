/** Keys that do not change while the server runs: the bytes of a keytab, or those of a password. */
import type { KeytabEntry, KeytabKey } from '../../../formats/kerberos/keytab.ts';
import type { TicketHeader } from '../../../formats/kerberos/kerberos-token.ts';
import type { ServiceKey, ServiceKeys } from '../service-keys.ts';
import { KeyRing } from './key-ring.ts';
import type { KeyPolicy } from './key-ring.ts';

export class GivenKeys implements ServiceKeys {
  readonly #ring: KeyRing;
  readonly #entries: readonly KeytabEntry[];
  readonly #description: string;
  readonly reloadFailure = undefined;

  /**
   * @param entries the keys that may be used are copied
   * @param description what stands after `the keytab` in a message: `given as bytes`
   */
  constructor(entries: readonly KeytabKey[], policy: KeyPolicy, description: string) {
    this.#ring = new KeyRing(entries, policy);
    this.#entries = entries.map(withoutKey);
    this.#description = description;
  }

  candidates(ticket: TicketHeader): readonly ServiceKey[] {
    return this.#ring.candidates(ticket);
  }

  holds(key: ServiceKey): boolean {
    return this.#ring.holds(key);
  }

  refreshAfterRefusal(): boolean {
    return false;
  }

  entries(): readonly KeytabEntry[] {
    return this.#entries;
  }

  describe(): string {
    return this.#description;
  }

  free(): void {
    this.#ring.wipe();
  }
}

/** What may be told of a key. */
export function withoutKey({ name, realm, keyVersion, encryptionType }: KeytabKey): KeytabEntry {
  return { name, realm, keyVersion, encryptionType };
}
