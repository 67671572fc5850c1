/**
 * Channel bindings of a TLS connection: `tls-server-end-point` (RFC 5929 section 4.1), the hash of the certificate that
 * this server presented. A client behind a TLS-terminating proxy saw another certificate, so there is nothing to
 * compare.
 */
import type { TLSSocket } from 'node:tls';
import { endPointBindings } from '../crypto/end-point-bindings.ts';

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
  return isTlsSocket(socket) || (hidesCertificate(socket) && (socket as Partial<TLSSocket>).encrypted === true);
}

/** Whether the runtime does not tell which certificate a server has presented, as Bun 1 does not. */
export function hidesCertificate(socket: unknown): boolean {
  return typeof socket === 'object' && socket !== null && !('getCertificate' in socket);
}

/** Looks at properties, so that a server without TLS need not load node:tls. */
function isTlsSocket(socket: unknown): socket is TLSSocket {
  return typeof socket === 'object' && socket !== null && 'getCertificate' in socket && 'encrypted' in socket;
}
