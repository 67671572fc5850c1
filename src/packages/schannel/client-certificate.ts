/** The certificate of a client, and the account that it is mapped to. */
import type { X509Certificate } from 'node:crypto';
import type { Account } from '../../accounts/account-source.ts';
import { accountProblem, accountToken } from '../../accounts/account-token.ts';
import { certificateNames } from '../../formats/certificate-names.ts';
import type { CertificateNames } from '../../formats/certificate-names.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';
import { reason } from '../../identity/reasons/reason.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { Diagnosis } from '../../sspi/security-package.ts';
import { SEC_E_CERT_UNKNOWN, SEC_E_INTERNAL_ERROR } from '../../sspi/status.ts';

/** A client's certificate that was verified against `ca`, for the function that maps it to an account. */
export interface ClientCertificate extends CertificateNames {
  /** The certificate itself. */
  readonly certificate: X509Certificate;
  /** Distinguished name of its subject, one attribute a line, as X509Certificate writes it. */
  readonly subject: string;
  /** Distinguished name of its issuer. */
  readonly issuer: string;
  /** Serial number in hexadecimal. */
  readonly serialNumber: string;
}

/**
 * Maps a verified certificate to an account: undefined if there is none. The names of a certificate are worth what the
 * authorities in `ca` are trusted to write.
 */
export type MapCertificate = (certificate: ClientCertificate) => Account | undefined | Promise<Account | undefined>;

/** Who a verified certificate is for, or why the client is refused. */
export type MappedCertificate =
  | { readonly token: SecurityContextToken | undefined; readonly refused?: undefined }
  | { readonly status: number; readonly refused: Diagnosis };

/** Asks the function. An exception and an account that cannot be used refuse the client. */
export async function mapClientCertificate(
  map: MapCertificate,
  certificate: X509Certificate,
): Promise<MappedCertificate> {
  let account: Account | undefined;
  try {
    const { subject, issuer, serialNumber } = certificate;
    account = await map(
      Object.freeze({ ...certificateNames(certificate.raw), certificate, subject, issuer, serialNumber }),
    );
  } catch (error) {
    if (error instanceof MalformedTokenError) {
      return {
        status: SEC_E_CERT_UNKNOWN,
        refused: { text: reason('schannel-certificate', { detail: error.message }) },
      };
    }
    const failure = { where: 'mapCertificate', error };
    return { status: SEC_E_INTERNAL_ERROR, refused: { text: reason('schannel-map-failed'), failure } };
  }
  if (account === undefined) return { token: undefined };
  try {
    return { token: accountToken(account, undefined) };
  } catch (error) {
    const text = reason('schannel-map-account', { detail: accountProblem(error) });
    return { status: SEC_E_INTERNAL_ERROR, refused: { text } };
  }
}
