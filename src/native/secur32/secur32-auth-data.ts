/** authData of the packages of Windows: what an operator may decide. Accounts and keys are the operating system's own. */
import { defaulted, optional, readOptions } from '../../foundation/option-table.ts';
import type { AuthDataOf, SettingsOf } from '../../foundation/option-table.ts';
import { flag, someOf } from '../../foundation/option-values.ts';

export const secur32Options = {
  /** Packages that Negotiate may run. `['Kerberos']` leaves NTLM out. */
  packages: optional(someOf('Kerberos', 'NTLM'), { otherwise: 'all that Windows has' }),
  /** Keep a context over HTTP after its handshake, for ImpersonateSecurityContext. */
  impersonation: defaulted(flag, true),
};

/** authData of the packages of Windows. */
export type Secur32AuthData = AuthDataOf<typeof secur32Options>;

/** The same, checked. */
export type Secur32Settings = SettingsOf<typeof secur32Options>;

/**
 * Checks authData.
 *
 * @throws OptionError for an unknown name or a value that cannot be used
 */
export function secur32Settings(authData: unknown): Secur32Settings {
  return readOptions(secur32Options, authData ?? {}, 'authData');
}
