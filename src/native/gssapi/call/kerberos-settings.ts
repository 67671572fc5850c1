/** What the Kerberos credential goes by: its authData, checked and complete. */
import type { Clock } from '../../../foundation/clock.ts';

/** KerberosAuthData as it is used. */
export interface KerberosSettings {
  /** Absolute or relative path of a readable keytab. */
  readonly keytab: string;
  readonly acceptsService: (name: string, realm: string) => boolean;
  /** For the log: which services are taken. */
  readonly services: string;
  readonly replayCache: string;
  /** The option as it was given: a name is one of MIT krb5. */
  readonly replayCacheOption: boolean | string | undefined;
  readonly asynchronous: boolean;
  readonly requirePac: boolean;
  readonly encryptionTypes: ReadonlySet<number>;
  readonly delegate: boolean;
  readonly clock: Clock;
}
