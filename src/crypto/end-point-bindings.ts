/** Channel bindings of a server's certificate: `tls-server-end-point` (RFC 5929 section 4.1). */
import { createHash } from 'node:crypto';
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
