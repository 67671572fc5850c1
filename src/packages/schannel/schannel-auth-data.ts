/** What acquireCredentialsHandle takes for Schannel (pAuthData). */
import { OptionError } from '../../foundation/errors.ts';
import { defaulted, optional, readOptions } from '../../foundation/option-table.ts';
import type { AuthDataOf, SettingsOf } from '../../foundation/option-table.ts';
import { callable, flag, listOf, oneOf, secretBytes, text } from '../../foundation/option-values.ts';
import type { Reader } from '../../foundation/option-values.ts';
import type { MapCertificate } from './client-certificate.ts';

export type { MapCertificate } from './client-certificate.ts';

const one = (value: unknown): Buffer | undefined => {
  if (typeof value === 'string' && value !== '') return Buffer.from(value, 'utf8');
  return value instanceof Uint8Array && value.byteLength > 0 ? Buffer.from(value) : undefined;
};

/** Reads certificates: PEM as text or bytes, one or an array. */
const certificates: Reader<readonly Buffer[], string | Uint8Array | readonly (string | Uint8Array)[]> = (
  value,
  option,
) => {
  const read = (Array.isArray(value) ? (value as readonly unknown[]) : [value]).map(one);
  const known = read.filter((bytes) => bytes !== undefined);
  if (known.length === 0 || known.length !== read.length) {
    throw new OptionError(option, 'is not a certificate', 'Give PEM as a string or bytes, or an array of these.');
  }
  return Object.freeze(known);
};

export const schannelOptions = {
  /** The certificate of the server with those that issued it, in PEM. With `key`; or give `pfx`. */
  cert: optional(certificates),
  /** The private key of the certificate, in PEM. */
  key: optional(secretBytes(1)),
  /** Certificate and private key as PKCS #12, in place of `cert` and `key`. */
  pfx: optional(secretBytes(1)),
  /** Opens `key` or `pfx`. */
  passphrase: optional(secretBytes(0)),
  /**
   * The authorities whose client certificates are trusted, in PEM. ASC_REQ_MUTUAL_AUTH needs it, unless
   * `manualCredentialValidation` is set: the public authorities of Node are never trusted for clients.
   */
  ca: optional(certificates),
  /** The lowest version of TLS. */
  minVersion: defaulted(oneOf('TLSv1.2', 'TLSv1.3'), 'TLSv1.2'),
  /** The highest version of TLS. */
  maxVersion: defaulted(oneOf('TLSv1.2', 'TLSv1.3'), 'TLSv1.3'),
  /** Cipher suites, as OpenSSL writes them. */
  ciphers: optional(text, { otherwise: "Node's" }),
  /** Application protocols (ALPN) in order of preference. A client that offers only others is refused. */
  alpn: optional(listOf(text, 'names')),
  /**
   * With ASC_REQ_MUTUAL_AUTH: the certificate of the client is not verified. The caller does that, with
   * SECPKG_ATTR_REMOTE_CERT_CONTEXT, before it trusts the client. ASC_RET_MUTUAL_AUTH is then not granted.
   */
  manualCredentialValidation: defaulted(flag, false),
  /**
   * Maps a verified client certificate to an account, for querySecurityContextToken. Left out, or if it gives undefined:
   * the context has no account. If it throws, the client is refused.
   */
  mapCertificate: optional(callable<MapCertificate>()),
};

/** authData of acquireCredentialsHandle for the package Schannel. */
export type SchannelAuthData = AuthDataOf<typeof schannelOptions>;

/** SchannelAuthData, checked and complete. */
export type SchannelSettings = SettingsOf<typeof schannelOptions>;

/**
 * Checks pAuthData.
 *
 * @throws OptionError that names the option, such as `authData.cert`
 */
export function schannelSettings(authData: unknown): SchannelSettings {
  const settings = readOptions(schannelOptions, authData, 'authData');
  const { cert, key, pfx, minVersion, maxVersion } = settings;
  if (pfx === undefined && cert === undefined) {
    throw new OptionError('authData.cert', 'is missing', 'Give cert and key, or pfx.');
  }
  if (pfx !== undefined && (cert !== undefined || key !== undefined)) {
    throw new OptionError('authData.pfx', 'is given beside cert or key', 'Give cert and key, or pfx.');
  }
  if (cert !== undefined && key === undefined) {
    throw new OptionError('authData.key', 'is missing', 'Give the private key of cert.');
  }
  if (minVersion > maxVersion) {
    throw new OptionError('authData.minVersion', 'is above maxVersion', 'Give a version that is not above it.');
  }
  return settings;
}
