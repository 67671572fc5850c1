/** The status of a TLS connection that failed, from its alert and from the error of Node. */
import { plaintextAlert } from '../../formats/tls-record.ts';
import type { TlsAlert } from '../../formats/tls-record.ts';
import * as Status from '../../sspi/status.ts';

/** AlertDescription (RFC 8446 section 6), as OpenSSL writes it in its reasons. */
const descriptions: Readonly<Record<string, number>> = {
  CLOSE_NOTIFY: 0,
  UNEXPECTED_MESSAGE: 10,
  BAD_RECORD_MAC: 20,
  DECRYPTION_FAILED: 21,
  RECORD_OVERFLOW: 22,
  DECOMPRESSION_FAILURE: 30,
  HANDSHAKE_FAILURE: 40,
  BAD_CERTIFICATE: 42,
  UNSUPPORTED_CERTIFICATE: 43,
  CERTIFICATE_REVOKED: 44,
  CERTIFICATE_EXPIRED: 45,
  CERTIFICATE_UNKNOWN: 46,
  ILLEGAL_PARAMETER: 47,
  UNKNOWN_CA: 48,
  ACCESS_DENIED: 49,
  DECODE_ERROR: 50,
  DECRYPT_ERROR: 51,
  PROTOCOL_VERSION: 70,
  INSUFFICIENT_SECURITY: 71,
  INTERNAL_ERROR: 80,
  USER_CANCELLED: 90,
  NO_RENEGOTIATION: 100,
  MISSING_EXTENSION: 109,
  UNSUPPORTED_EXTENSION: 110,
  UNRECOGNIZED_NAME: 112,
  CERTIFICATE_REQUIRED: 116,
  NO_APPLICATION_PROTOCOL: 120,
};

/** Errors of OpenSSL whose alert is encrypted (TLS 1.3), by the alert that goes with each. */
const causes: Readonly<Record<string, number>> = {
  PEER_DID_NOT_RETURN_A_CERTIFICATE: 116,
  DECRYPTION_FAILED_OR_BAD_RECORD_MAC: 20,
  BAD_RECORD_TYPE: 10,
  DIGEST_CHECK_FAILED: 51,
  BAD_SIGNATURE: 51,
  NO_SHARED_CIPHER: 40,
  NO_SUITABLE_SIGNATURE_ALGORITHM: 40,
  NO_SHARED_SIGNATURE_ALGORITHMS: 40,
  NO_SUITABLE_KEY_SHARE: 40,
  UNSUPPORTED_PROTOCOL: 70,
  VERSION_TOO_LOW: 70,
  NO_APPLICATION_PROTOCOL: 120,
};

/** AlertDescription of an error of Node, of an alert that was received too; undefined if it has none. */
export function alertOf(error: Error | undefined): number | undefined {
  const code = codeOf(error) ?? '';
  const [, received] = /_ALERT_(?:NUMBER_)?(\w+)$/.exec(code) ?? [];
  if (received !== undefined) return descriptions[received];
  return causes[code.replace(/^ERR_SSL_/, '')];
}

/** The code of an error of Node or OpenSSL. It names no secret. */
export function codeOf(error: Error | undefined): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** What is told of a failed handshake. */
export interface HandshakeFailure {
  readonly status: number;
  /** The alert that was sent; undefined if there was none, or if nobody knows. */
  readonly alert: TlsAlert | undefined;
}

/**
 * The status of a failed handshake.
 *
 * @param output what TLS wrote in the last leg
 */
export function handshakeFailure(output: Uint8Array, error: Error | undefined): HandshakeFailure {
  const alert = plaintextAlert(output);
  // The cause first: in TLS 1.2 a missing certificate has the same alert as a cipher that nobody has.
  const description = alertOf(error) ?? alert?.description;
  return { status: handshakeStatus(description), alert };
}

function handshakeStatus(description: number | undefined): number {
  switch (description) {
    case 20:
    case 21:
    case 51:
      return Status.SEC_E_DECRYPT_FAILURE;
    case 40:
    case 71:
      return Status.SEC_E_ALGORITHM_MISMATCH;
    case 42:
    case 43:
    case 44:
    case 46:
      return Status.SEC_E_CERT_UNKNOWN;
    case 45:
      return Status.SEC_E_CERT_EXPIRED;
    case 48:
      return Status.SEC_E_UNTRUSTED_ROOT;
    case 49:
    case 116:
      return Status.SEC_E_LOGON_DENIED;
    case 70:
      return Status.SEC_E_UNSUPPORTED_FUNCTION;
    case 120:
      return Status.SEC_E_APPLICATION_PROTOCOL_MISMATCH;
    case 80:
      return Status.SEC_E_INTERNAL_ERROR;
    default:
      return Status.SEC_E_INVALID_TOKEN;
  }
}

/** The status of a record after the handshake that TLS refused, or that was an alert of the client. */
export function recordStatus(error: Error | undefined): number {
  const description = alertOf(error);
  if (description === 20 || description === 21 || description === undefined) return Status.SEC_E_MESSAGE_ALTERED;
  return description === 10 || description === 47 || description === 50
    ? Status.SEC_E_ILLEGAL_MESSAGE
    : handshakeStatus(description);
}
