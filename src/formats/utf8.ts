/** UTF-8, decoded strictly: two different byte strings never become the same text (attack D22). */
import { isUtf8 } from 'node:buffer';
import { MalformedTokenError } from '../foundation/errors.ts';

/**
 * Decodes UTF-8. A byte order mark stays in the text.
 *
 * @param field name of the field, for the error
 * @throws MalformedTokenError if the bytes are not UTF-8
 */
export function decodeUtf8(bytes: Uint8Array, field: string): string {
  if (!isUtf8(bytes)) throw new MalformedTokenError(field, 'is not UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
