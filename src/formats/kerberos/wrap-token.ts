/** Wrap tokens of Kerberos: RFC 4121 section 4.2.6.2. */

/** TOK_ID of a wrap token. Tokens of RC4 (RFC 4757) have another form. */
const TOK_ID_WRAP = 0x0504;
const SEALED = 0x02;
const HEADER_BYTES = 16;
const CONFOUNDER_BYTES = 16;
const RRC_OFFSET = 6;

/**
 * Rotates a sealed token so that its last bytes are those of the encrypted message (section 4.2.5): what comes behind
 * them goes before them. EncryptMessage of Windows gives tokens in this form, and gss_unwrap_iov takes no other in
 * parts. The rotation count is not covered by the signature, so that everybody may change it.
 *
 * @param token of gss_wrap with confidentiality
 * @param length of the message, in bytes
 * @returns the rotated token; the same bytes if it is no token of this form
 */
export function rotateWrapToken(token: Uint8Array, length: number): Uint8Array {
  const body = token.byteLength - HEADER_BYTES;
  const wanted = body - length - CONFOUNDER_BYTES;
  if (wanted < 0) return token;
  const view = new DataView(token.buffer, token.byteOffset, token.byteLength);
  if (view.getUint16(0) !== TOK_ID_WRAP || (view.getUint8(2) & SEALED) === 0) return token;
  const right = (((wanted - view.getUint16(RRC_OFFSET)) % body) + body) % body;
  const rotated = new Uint8Array(token.byteLength);
  rotated.set(token.subarray(0, HEADER_BYTES));
  rotated.set(token.subarray(token.byteLength - right), HEADER_BYTES);
  rotated.set(token.subarray(HEADER_BYTES, token.byteLength - right), HEADER_BYTES + right);
  new DataView(rotated.buffer).setUint16(RRC_OFFSET, wanted);
  return rotated;
}
