/**
 * What the three NTLM messages have in common: signature, type, and fields that point into the payload (MS-NLMP section
 * 2.2.1).
 */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { Reader } from '../reader.ts';

/** `NTLMSSP` and NUL. */
const SIGNATURE: readonly number[] = [0x4e, 0x54, 0x4c, 0x4d, 0x53, 0x53, 0x50, 0x00];

/** MessageType of section 2.2.1. */
export const NTLM_NEGOTIATE = 1;
export const NTLM_CHALLENGE = 2;
export const NTLM_AUTHENTICATE = 3;

/**
 * Largest message that is read, in bytes: as much as the 16-bit length of one field can describe. Real ones are
 * smaller.
 */
export const MAX_NTLM_MESSAGE_BYTES = 0x10000;

/** Whether bytes begin with the NTLM signature, which no other token does. */
export function isNtlmMessage(bytes: Uint8Array): boolean {
  return bytes.byteLength >= SIGNATURE.length && SIGNATURE.every((byte, index) => bytes[index] === byte);
}

/**
 * Checks Signature and MessageType. Returns a reader placed after them.
 *
 * @param messageType the required type; if undefined, any type is accepted
 * @throws MalformedTokenError for another signature or type, or a message larger than 64 KiB
 */
export function openNtlmMessage(
  bytes: Uint8Array,
  messageType?: number,
): { readonly reader: Reader; readonly messageType: number } {
  if (bytes.byteLength > MAX_NTLM_MESSAGE_BYTES) {
    throw new MalformedTokenError('NTLM message', `has ${bytes.byteLength} bytes`, 0);
  }
  const reader = new Reader(bytes);
  reader.skip(SIGNATURE.length, 'Signature');
  if (!isNtlmMessage(bytes)) throw new MalformedTokenError('Signature', 'is not NTLMSSP', 0);
  const found = reader.u32le('MessageType');
  if (messageType !== undefined && found !== messageType) {
    throw new MalformedTokenError('MessageType', `is ${found}, not ${messageType}`, 8);
  }
  return { reader, messageType: found };
}

/** A field descriptor: length in bytes and offset from the start of the message. MaxLen must be ignored on receipt. */
export interface NtlmField {
  readonly name: string;
  readonly length: number;
  readonly offset: number;
}

/** Reads the eight bytes of a descriptor. */
export function readField(reader: Reader, name: string): NtlmField {
  const length = reader.u16le(`${name}Len`);
  reader.skip(2, `${name}MaxLen`);
  const offset = reader.u32le(`${name}BufferOffset`);
  return { name, length, offset };
}

/**
 * The bytes that a descriptor points to, as a view. Empty if the length is zero, whatever the offset.
 *
 * @param headerBytes size in bytes of the fixed part, which the payload must not overlap
 * @throws MalformedTokenError if the bytes are not entirely after the header and inside the message (attack C06)
 */
export function fieldBytes(message: Uint8Array, field: NtlmField, headerBytes: number): Uint8Array {
  const { name, length, offset } = field;
  if (length === 0) return new Uint8Array(0);
  if (offset < headerBytes) throw new MalformedTokenError(name, 'lies inside the header', offset);
  if (offset + length > message.byteLength) {
    throw new MalformedTokenError(name, `${length} bytes leave the message of ${message.byteLength}`, offset);
  }
  return message.subarray(offset, offset + length);
}

/**
 * Decodes text in the OEM character set. The message does not say which code page the sender uses, so only the
 * characters that all code pages share are accepted.
 *
 * @throws MalformedTokenError for a byte outside printable ASCII (attack C10)
 */
export function decodeOem(bytes: Uint8Array, field: string): string {
  for (const byte of bytes) {
    if (byte < 0x20 || byte > 0x7e) throw new MalformedTokenError(field, 'OEM text with a byte outside ASCII');
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
