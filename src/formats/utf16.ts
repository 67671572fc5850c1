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

/**
 * UTF-16LE as UTF-8, from bytes to bytes: for a secret, which must not become a string, because a string cannot be wiped.
 *
 * @param field name of the field, for the error
 * @returns bytes of their own memory, for the caller to wipe
 * @throws MalformedTokenError for an odd length, a lone surrogate or U+0000
 */
export function utf16leToUtf8(bytes: Uint8Array, field: string): Buffer {
  if (bytes.byteLength % 2 !== 0) throw new MalformedTokenError(field, 'UTF-16 with an odd number of bytes');
  const unitAt = (at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  // Three bytes for each unit are enough: a pair of units has four. Not from the pool, which others share.
  const utf8 = Buffer.alloc((bytes.byteLength / 2) * 3);
  let length = 0;
  const put = (byte: number): void => {
    utf8[length++] = byte;
  };
  const fail = (problem: string): never => {
    utf8.fill(0);
    throw new MalformedTokenError(field, problem);
  };
  for (let at = 0; at < bytes.byteLength; at += 2) {
    let point = unitAt(at);
    if (point === 0) fail('UTF-16 with an embedded NUL');
    if (point >= 0xd800 && point <= 0xdfff) {
      const low = point < 0xdc00 && at + 2 < bytes.byteLength ? unitAt(at + 2) : 0;
      if (low < 0xdc00 || low > 0xdfff) fail('UTF-16 with a lone surrogate');
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
      at += 2;
    }
    if (point < 0x80) {
      put(point);
      continue;
    }
    if (point < 0x800) {
      put(0xc0 | (point >> 6));
    } else {
      if (point < 0x10000) {
        put(0xe0 | (point >> 12));
      } else {
        put(0xf0 | (point >> 18));
        put(0x80 | ((point >> 12) & 0x3f));
      }
      put(0x80 | ((point >> 6) & 0x3f));
    }
    put(0x80 | (point & 0x3f));
  }
  return utf8.subarray(0, length);
}
