/** The content of pubKeyAuth: it binds the client's proof to the certificate of the TLS connection (MS-CSSP 3.1.5). */
import { createHash, timingSafeEqual } from 'node:crypto';

/** The first version that sends hashes over a nonce, not the key itself. */
const FIRST_HASHED_VERSION = 5;

export function isHashed(version: number): boolean {
  return version >= FIRST_HASHED_VERSION;
}

/** The terminating NUL belongs to the text. */
function bindingHash(text: string, nonce: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return createHash('sha256').update(`${text}\0`, 'latin1').update(nonce).update(publicKey).digest();
}

/**
 * Whether the client means the key of this server (attack F03). The comparison takes the same time wherever the
 * difference is.
 *
 * @param version what both sides agreed on; below 5 the nonce is not used
 * @param publicKey subjectPublicKey of the server's certificate
 * @param received unsealed
 */
export function bindsKey(version: number, publicKey: Uint8Array, nonce: Uint8Array, received: Uint8Array): boolean {
  const expected = isHashed(version)
    ? bindingHash('CredSSP Client-To-Server Binding Hash', nonce, publicKey)
    : publicKey;
  return received.byteLength === expected.byteLength && timingSafeEqual(received, expected);
}

/** What the server answers, to be sealed. */
export function serverBinding(version: number, publicKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  if (isHashed(version)) return bindingHash('CredSSP Server-To-Client Binding Hash', nonce, publicKey);
  const answer = Uint8Array.from(publicKey);
  answer[0] = ((answer[0] ?? 0) + 1) & 0xff;
  return answer;
}
