/**
 * Base64 of RFC 4648 section 4, strictly: no other alphabet, no white space, no missing or misplaced padding, no bits
 * left over. `Buffer.from(text, 'base64')` takes all of those (attack A02).
 */
/**
 * @param text base64 with padding
 * @returns the bytes, or undefined where the text is not canonical base64
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Bytes have one canonical form: whatever Node forgives, encoding does not give it back.
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
