/** The settings of a Kerberos credential: its authData, verified and with defaults. */
import type { Clock } from '../../../foundation/clock.ts';

/** KerberosAuthData in the form in which it is used. */
export interface KerberosSettings {
  /** Absolute or relative path of a readable keytab. */
  readonly keytab: string;
  /** Whether tickets for a service are accepted. */
  readonly acceptsService: (name: string, realm: string) => boolean;
  /** The accepted services, for the log. */
  readonly services: readonly string[];
  /** Name of the replay cache as MIT krb5 writes it; `none:` if there is none; undefined: the default of the library. */
  readonly replayCache: string | undefined;
  /** The value of option `replayCache`. A string is the name of a replay cache of MIT krb5. */
  readonly replayCacheOption: boolean | string | undefined;
  readonly asynchronous: boolean;
  readonly requirePac: boolean;
  readonly ignorePac: boolean;
  /** Encryption types that are accepted for tickets and keys. */
  readonly encryptionTypes: ReadonlySet<number>;
  readonly delegate: boolean;
  /** Tells the operator what is wrong, although clients can still be verified. */
  readonly onWarning: (message: string) => void;
  readonly clock: Clock;
}
