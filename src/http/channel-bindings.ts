/**
 * Channel bindings of a TLS connection: `tls-server-end-point` (RFC 5929 section 4.1), the hash of the certificate that
 * this server presented. A client behind a TLS-terminating proxy saw another certificate, so there is nothing to
 * compare.
 */
import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { certificateSignatureHash } from '../formats/certificate.ts';
import { encodeChannelBindings } from '../formats/channel-bindings.ts';

const PREFIX = Buffer.from('tls-server-end-point:', 'ascii');

/**
 * The channel bindings for a certificate.
 *
 * @param certificate DER
 * @returns SEC_CHANNEL_BINDINGS for a SECBUFFER_CHANNEL_BINDINGS buffer; undefined if RFC 5929 defines no hash for the
 *   certificate's signature (Ed25519, SHA-3)
 */
export function endPointBindings(certificate: Uint8Array): Uint8Array | undefined {
  const name = certificateSignatureHash(certificate);
  if (name === undefined) return undefined;
  // Section 4.1: a certificate signed with MD5 or SHA-1 is hashed with SHA-256.
  const hash = createHash(name === 'md5' || name === 'sha1' ? 'sha256' : name)
    .update(certificate)
    .digest();
  return encodeChannelBindings(Buffer.concat([PREFIX, hash]));
}

/** The certificate that was used last, and its bindings. Servers rarely change their certificate. */
let latest: { readonly certificate: Buffer; readonly bindings: Uint8Array | undefined } | undefined;

/**
 * The channel bindings of a connection.
 *
 * @param socket of the connection
 * @returns SEC_CHANNEL_BINDINGS; undefined without TLS, or if none are defined for the certificate
 */
export function channelBindingsOf(socket: unknown): Uint8Array | undefined {
  if (!isTlsSocket(socket)) return undefined;
  const certificate = socket.getCertificate();
  if (certificate === null || !('raw' in certificate) || !Buffer.isBuffer(certificate.raw)) return undefined;
  if (latest?.certificate.equals(certificate.raw) !== true) {
    latest = { certificate: certificate.raw, bindings: endPointBindings(certificate.raw) };
  }
  return latest.bindings;
}

/** Whether a connection has TLS that ends here. Where it has no bindings all the same, nothing can be compared. */
export function hasTls(socket: unknown): boolean {
  return isTlsSocket(socket);
}

/** Looks at properties, so that a server without TLS need not load node:tls. */
function isTlsSocket(socket: unknown): socket is TLSSocket {
  return typeof socket === 'object' && socket !== null && 'getCertificate' in socket && 'encrypted' in socket;
}
