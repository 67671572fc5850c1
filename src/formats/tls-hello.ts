/** The messages that begin a TLS handshake, told by their first bytes (RFC 8446 section 4). */

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const RECORD_HEADER_BYTES = 5;
/** Type, length and legacy_version of a ServerHello, behind the header of its record. */
const BEFORE_RANDOM = RECORD_HEADER_BYTES + 4 + 2;

/** The random of a HelloRetryRequest: SHA-256 of its name, RFC 8446 section 4.1.3. */
const retryRandom = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

function isHandshakeMessage(bytes: Uint8Array, type: number): boolean {
  return bytes[0] === HANDSHAKE_RECORD && bytes[1] === 3 && bytes[RECORD_HEADER_BYTES] === type;
}

/** Whether bytes of a client begin with a ClientHello. After a HelloRetryRequest it sends a second one. */
export function isClientHello(bytes: Uint8Array): boolean {
  return isHandshakeMessage(bytes, CLIENT_HELLO);
}

/** Whether bytes of a server begin with a HelloRetryRequest, so that its client sends another ClientHello. */
export function isHelloRetryRequest(bytes: Uint8Array): boolean {
  const random = bytes.subarray(BEFORE_RANDOM, BEFORE_RANDOM + retryRandom.byteLength);
  return isHandshakeMessage(bytes, SERVER_HELLO) && retryRandom.equals(random);
}
