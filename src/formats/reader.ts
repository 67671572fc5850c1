/**
 * The bounded reader for bytes from outside: a cursor that never leaves its buffer.
 *
 * Each read names its field, so an error can say which field broke the format and at which offset. Offsets and lengths
 * are JavaScript numbers (53 bits), so a 32-bit offset plus a 32-bit length cannot wrap (attack C06).
 */
import { MalformedTokenError } from '../foundation/errors.ts';

export class Reader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #offset: number;
  readonly #end: number;

  /**
   * @param bytes the input; not copied, so it must not change while it is read
   * @param start first readable offset, in bytes
   * @param end offset after the last readable byte
   */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.byteLength) {
    if (!(start >= 0 && end <= bytes.byteLength && start <= end)) {
      throw new RangeError(`Reader: ${start}..${end} is not inside ${bytes.byteLength} bytes`);
    }
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset = start;
    this.#end = end;
  }

  /** Offset of the next byte, from the start of `bytes`. */
  get offset(): number {
    return this.#offset;
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#end - this.#offset;
  }

  #take(length: number, field: string): number {
    const at = this.#offset;
    if (!(length >= 0 && length <= this.#end - at)) {
      throw new MalformedTokenError(field, `needs ${length} bytes, ${this.#end - at} are left`, at);
    }
    this.#offset = at + length;
    return at;
  }

  /** One byte. */
  u8(field: string): number {
    return this.#view.getUint8(this.#take(1, field));
  }

  /** Unsigned 16 bits, little-endian. */
  u16le(field: string): number {
    return this.#view.getUint16(this.#take(2, field), true);
  }

  /** Unsigned 16 bits, big-endian. */
  u16be(field: string): number {
    return this.#view.getUint16(this.#take(2, field), false);
  }

  /** Unsigned 32 bits, little-endian. */
  u32le(field: string): number {
    return this.#view.getUint32(this.#take(4, field), true);
  }

  /** Unsigned 32 bits, big-endian. */
  u32be(field: string): number {
    return this.#view.getUint32(this.#take(4, field), false);
  }

  /** Signed 32 bits, little-endian. */
  i32le(field: string): number {
    return this.#view.getInt32(this.#take(4, field), true);
  }

  /** Unsigned 64 bits, little-endian, never rounded. */
  u64le(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field), true);
  }

  /** A view of the next `length` bytes; not a copy. */
  take(length: number, field: string): Uint8Array {
    const at = this.#take(length, field);
    return this.bytes.subarray(at, at + length);
  }

  /** Moves on by `length` bytes. */
  skip(length: number, field: string): void {
    this.#take(length, field);
  }

  /** Moves to an absolute offset inside the readable range. */
  seek(offset: number, field: string): void {
    if (!(offset >= 0 && offset <= this.#end)) {
      throw new MalformedTokenError(field, `offset ${offset} is outside ${this.#end} bytes`, this.#offset);
    }
    this.#offset = offset;
  }

  /** A reader over the next `length` bytes, which this one skips. */
  sub(length: number, field: string): Reader {
    const at = this.#take(length, field);
    return new Reader(this.bytes, at, at + length);
  }

  /** Fails unless every byte was read. */
  expectEnd(field: string): void {
    if (this.remaining !== 0) {
      throw new MalformedTokenError(field, `${this.remaining} bytes too many`, this.#offset);
    }
  }
}
