/** authData of Windows' own Schannel and CREDSSP. */
import { OptionError } from '../../foundation/errors.ts';
import { defaulted, optional, readOptions, required } from '../../foundation/option-table.ts';
import type { AuthDataOf, SettingsOf } from '../../foundation/option-table.ts';
import { flag, oneOf, secretBytes, someOf } from '../../foundation/option-values.ts';
import type { Secret } from '../../foundation/secret.ts';

const certificate = {
  /** Certificate and private key of the server as PKCS #12. */
  pfx: required(secretBytes(1), 'Give a PKCS #12 file: openssl pkcs12 -export -inkey server.key -in server.crt.'),
  /** Opens `pfx`. */
  passphrase: optional(secretBytes(0)),
};

export const secur32SchannelOptions = {
  ...certificate,
  /** The lowest version of TLS. */
  minVersion: defaulted(oneOf('TLSv1.2', 'TLSv1.3'), 'TLSv1.2'),
  /** The highest version of TLS. Windows has 1.3 from Windows 11 and Windows Server 2022 on. */
  maxVersion: defaulted(oneOf('TLSv1.2', 'TLSv1.3'), 'TLSv1.3'),
  /**
   * ASC_REQ_MUTUAL_AUTH needs it. Windows does not verify the certificate of a client: the caller does that, with
   * SECPKG_ATTR_REMOTE_CERT_CONTEXT, before it trusts the client. ASC_RET_MUTUAL_AUTH is then not granted.
   */
  manualCredentialValidation: defaulted(flag, false),
};

export const secur32CredSspOptions = {
  ...certificate,
  /** Packages that its Negotiate may run. `['Kerberos']` leaves NTLM out. */
  packages: optional(someOf('Kerberos', 'NTLM'), { otherwise: 'all that Windows has' }),
};

/** authData of Windows' own Schannel. */
export type Secur32SchannelAuthData = AuthDataOf<typeof secur32SchannelOptions>;

/** authData of Windows' own CREDSSP. */
export type Secur32CredSspAuthData = AuthDataOf<typeof secur32CredSspOptions>;

/** What both have in common, checked. */
export interface StreamSettings {
  readonly pfx: Secret;
  readonly passphrase: Secret | undefined;
  /** Undefined for CREDSSP, where TLS is not for the caller to set. */
  readonly tls: SettingsOf<typeof secur32SchannelOptions> | undefined;
  readonly packages: readonly string[] | undefined;
}

/**
 * Checks authData.
 *
 * @throws OptionError for an unknown name or a value that cannot be used
 */
export function schannelSettings(authData: unknown): StreamSettings {
  const tls = readOptions(secur32SchannelOptions, authData ?? {}, 'authData');
  if (tls.minVersion > tls.maxVersion) {
    throw new OptionError('authData.minVersion', 'is above maxVersion', 'Give a version that is not above it.');
  }
  return { pfx: tls.pfx, passphrase: tls.passphrase, tls, packages: undefined };
}

/** The same for CREDSSP. */
export function credSspSettings(authData: unknown): StreamSettings {
  const { pfx, passphrase, packages } = readOptions(secur32CredSspOptions, authData ?? {}, 'authData');
  return { pfx, passphrase, tls: undefined, packages };
}
