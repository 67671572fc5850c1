/**
 * UTF-16LE, the encoding of text in the protocols of Windows. Decoding is strict: a lone surrogate, half a unit or an
 * embedded NUL is malformed, because another reader could read a different text (attacks C06, C09).
 */
import { MalformedTokenError } from '../foundation/errors.ts';
import { hasLoneSurrogate } from '../foundation/text.ts';

/** Encodes a text as UTF-16LE, without byte order mark or terminator. */
export function encodeUtf16le(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[2 * i] = unit & 0xff;
    bytes[2 * i + 1] = unit >>> 8;
  }
  return bytes;
}

/**
 * Decodes UTF-16LE.
 *
 * @param field name of the field, for the error
 * @throws MalformedTokenError for an odd length, a lone surrogate or U+0000
 */
export function decodeUtf16le(bytes: Uint8Array, field: string): string {
  if (bytes.byteLength % 2 !== 0) throw new MalformedTokenError(field, 'UTF-16 with an odd number of bytes');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf16le');
  if (hasLoneSurrogate(text)) throw new MalformedTokenError(field, 'UTF-16 with a lone surrogate');
  if (text.includes('\0')) throw new MalformedTokenError(field, 'UTF-16 with an embedded NUL');
  return text;
}
