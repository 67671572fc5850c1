/** SecBuffer and its types (sspi.h, "SecBuffer structure"). */

export const SECBUFFER_VERSION = 0;

export const SECBUFFER_EMPTY = 0;
export const SECBUFFER_DATA = 1;
export const SECBUFFER_TOKEN = 2;
export const SECBUFFER_PKG_PARAMS = 3;
/** How much input is missing. Results of this library have the count in `missing`, not in a buffer. */
export const SECBUFFER_MISSING = 4;
/** Input that was not consumed: it comes before what arrives later. */
export const SECBUFFER_EXTRA = 5;
export const SECBUFFER_STREAM_TRAILER = 6;
export const SECBUFFER_STREAM_HEADER = 7;
export const SECBUFFER_PADDING = 9;
export const SECBUFFER_STREAM = 10;
export const SECBUFFER_TARGET = 13;
/** A SEC_CHANNEL_BINDINGS structure (formats/channel-bindings.ts lays it out). */
export const SECBUFFER_CHANNEL_BINDINGS = 14;
export const SECBUFFER_TARGET_HOST = 16;
/** The alert of a failure (TLS): level and description, one byte each. */
export const SECBUFFER_ALERT = 17;
export const SECBUFFER_CHANNEL_BINDINGS_RESULT = 30;

/** Set in `type`: the package may read but not write the buffer. */
export const SECBUFFER_READONLY = 0x80000000;
/** Set in `type`: read-only, but covered by the signature. */
export const SECBUFFER_READONLY_WITH_CHECKSUM = 0x10000000;
/** The bits of `type` that hold the type; the other bits are flags. */
export const SECBUFFER_TYPE_MASK = 0x0fffffff;

/** One buffer of a call: a type and its bytes. An absent buffer has zero bytes. */
export interface SecBuffer {
  /** SECBUFFER_*, possibly with SECBUFFER_READONLY or SECBUFFER_READONLY_WITH_CHECKSUM set. */
  readonly type: number;
  readonly data: Uint8Array;
}

/** The n-th buffer (from 0) of a type; undefined if there is none. Flags in the upper bits of `type` are ignored. */
export function findBuffer(buffers: readonly SecBuffer[], type: number, index = 0): SecBuffer | undefined {
  let left = index;
  for (const buffer of buffers) {
    if ((buffer.type & SECBUFFER_TYPE_MASK) === type && left-- === 0) return buffer;
  }
  return undefined;
}
