/**
 * Tells by its first bytes whether a token begins a handshake or continues one. HTTP has no other sign that a client
 * starts over on a connection with a pending or finished handshake (attack C04).
 */

/** `NTLMSSP\0` and MessageType 1, MS-NLMP 2.2.1.1. */
const ntlmNegotiate = Uint8Array.of(0x4e, 0x54, 0x4c, 0x4d, 0x53, 0x53, 0x50, 0x00, 0x01, 0x00, 0x00, 0x00);

/** Tag of InitialContextToken, RFC 2743 section 3.1: SPNEGO's NegTokenInit and a raw Kerberos AP-REQ begin with it. */
const INITIAL_CONTEXT_TOKEN = 0x60;

/** Whether a token begins a handshake. */
export function beginsHandshake(token: Uint8Array): boolean {
  return token[0] === INITIAL_CONTEXT_TOKEN || ntlmNegotiate.every((byte, index) => token[index] === byte);
}
