/**
 * Base64 of RFC 4648 section 4, read strictly: no other alphabet, no white space, no missing or misplaced padding, no
 * bits left over. `Buffer.from(text, 'base64')` accepts all of these (attack A02).
 */
/**
 * Decodes base64.
 *
 * @param text base64 with padding
 * @returns the bytes, or undefined if the text is not canonical base64
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Bytes have one canonical form. If Node had to forgive something, encoding gives another text.
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Encodes bytes as base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
