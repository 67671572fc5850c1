/**
 * Channel bindings of a TLS connection: `tls-server-end-point` (RFC 5929 section 4.1), the hash of the certificate that
 * this server showed. A client behind a TLS-terminating proxy saw another certificate: then there is nothing to compare.
 */
import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { certificateSignatureHash } from '../formats/certificate.ts';
import { encodeChannelBindings } from '../formats/channel-bindings.ts';

const PREFIX = Buffer.from('tls-server-end-point:', 'ascii');

/**
 * @param certificate DER
 * @returns SEC_CHANNEL_BINDINGS for a SECBUFFER_CHANNEL_BINDINGS buffer, or undefined where RFC 5929 defines no hash for
 *   the certificate's signature (Ed25519)
 */
export function endPointBindings(certificate: Uint8Array): Uint8Array | undefined {
  const name = certificateSignatureHash(certificate);
  if (name === undefined) return undefined;
  // Section 4.1: what MD5 or SHA-1 signed is hashed with SHA-256.
  const hash = createHash(name === 'md5' || name === 'sha1' ? 'sha256' : name)
    .update(certificate)
    .digest();
  return encodeChannelBindings(Buffer.concat([PREFIX, hash]));
}

/** The certificate a TLS socket of a server showed its client, and its bindings; servers change certificates rarely. */
let latest: { readonly certificate: Buffer; readonly bindings: Uint8Array | undefined } | undefined;

/** @returns the bindings of a connection; undefined without TLS, or where they are not defined */
export function channelBindingsOf(socket: unknown): Uint8Array | undefined {
  if (!isTlsSocket(socket)) return undefined;
  const certificate = socket.getCertificate();
  if (certificate === null || !('raw' in certificate) || !Buffer.isBuffer(certificate.raw)) return undefined;
  if (latest?.certificate.equals(certificate.raw) !== true) {
    latest = { certificate: certificate.raw, bindings: endPointBindings(certificate.raw) };
  }
  return latest.bindings;
}

/** Without importing node:tls, which a server without TLS need not load. */
function isTlsSocket(socket: unknown): socket is TLSSocket {
  return typeof socket === 'object' && socket !== null && 'getCertificate' in socket && 'encrypted' in socket;
}
