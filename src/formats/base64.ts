/**
 * Base64 of RFC 4648 section 4, strictly: no other alphabet, no white space, no missing or misplaced padding, no bits
 * left over. `Buffer.from(text, 'base64')` takes all of those (attack A02).
 */
const quantum = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * @param text base64 with padding
 * @returns the bytes, or undefined where the text is not canonical base64
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !quantum.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  // Unused bits of the last quantum must be zero: only then does encoding give the same text back.
  if (text.endsWith('=') && Buffer.from(bytes.subarray(-(bytes.length % 3))).toString('base64') !== text.slice(-4)) {
    return undefined;
  }
  return bytes;
}

/** Base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
