/** What Kerberos has found at start, for the operator. No key itself. */
import type { KeytabEntry } from '../formats/kerberos/keytab.ts';

/** What verifies tickets here. */
export interface StartFacts {
  /** Such as `MIT krb5 1.20.1`; without the number where the library does not tell it. */
  readonly implementation: string;
  /** Name or path of the library, as it was loaded. Undefined without a library. */
  readonly library: string | undefined;
  /** Path of the keytab, or what stands after `keytab` where it is none: `given as bytes`. */
  readonly keytab: string;
  /** Its entries for services that are accepted. */
  readonly entries: readonly KeytabEntry[];
  /** Where accepted authenticators are remembered; undefined where the library decides that. */
  readonly replay: string | undefined;
}
