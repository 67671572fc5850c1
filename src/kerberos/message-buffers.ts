/** Which buffers of a message Kerberos signs and encrypts. */
import {
  SECBUFFER_DATA,
  SECBUFFER_READONLY,
  SECBUFFER_READONLY_WITH_CHECKSUM,
  SECBUFFER_TYPE_MASK,
} from '../sspi/buffers.ts';
import type { SecBuffer } from '../sspi/buffers.ts';

/** Whether a buffer is signed: all DATA buffers except those with SECBUFFER_READONLY. */
export function signedBuffers(type: number, flags: number): boolean {
  return type === SECBUFFER_DATA && (flags & SECBUFFER_READONLY) === 0;
}

/**
 * Whether a buffer is encrypted. GSS_Wrap cannot sign data without encrypting it, so both READONLY flags exclude a
 * buffer.
 */
export function sealedBuffers(type: number, flags: number): boolean {
  return type === SECBUFFER_DATA && (flags & (SECBUFFER_READONLY | SECBUFFER_READONLY_WITH_CHECKSUM)) === 0;
}

/** The bytes of the wanted buffers, as if they were one. A single one is not copied. */
export function joined(message: readonly SecBuffer[], wanted: (type: number, flags: number) => boolean): Uint8Array {
  const parts = message.filter(({ type }) => wanted(type & SECBUFFER_TYPE_MASK, type & ~SECBUFFER_TYPE_MASK));
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first.data : Buffer.concat(parts.map(({ data }) => data));
}
