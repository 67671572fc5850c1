/**
 * The part of NDR (C706 chapter 14, in the type serialization version 1 of MS-RPCE 2.2.6) that the PAC needs:
 * little-endian, unique pointers, conformant arrays, conformant varying strings.
 *
 * Pointees follow the structure that holds their pointers, in the order of the pointers. So one pass reads everything,
 * and no referent can point back (attack D15). Every count is checked before memory is allocated for it.
 */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { Reader } from '../reader.ts';
import { decodeUtf16le } from '../utf16.ts';

/** RPC_UNICODE_STRING whose characters have not been read yet, MS-DTYP 2.3.10. */
export interface NdrUnicodeString {
  /** Bytes of the string, without a terminating NUL. */
  readonly length: number;
  /** Whether a buffer follows among the pointees. */
  readonly present: boolean;
}

/** A cursor over NDR data; alignment counts from the start of the serialized object. */
export class NdrReader {
  readonly reader: Reader;
  readonly #origin: number;

  /** @param reader placed at the first byte of the object, after the headers */
  constructor(reader: Reader) {
    this.reader = reader;
    this.#origin = reader.offset;
  }

  /**
   * Reads the common and the private header of type serialization version 1 (MS-RPCE 2.2.6.1, 2.2.6.2).
   *
   * @throws MalformedTokenError for another version, big-endian data, or a length beyond the end of the bytes
   */
  static typeSerialization1(bytes: Uint8Array, field: string): NdrReader {
    const reader = new Reader(bytes);
    const version = reader.u8(`${field}.Version`);
    const endianness = reader.u8(`${field}.Endianness`);
    const headerLength = reader.u16le(`${field}.CommonHeaderLength`);
    reader.skip(4, `${field}.Filler`);
    if (version !== 1) throw new MalformedTokenError(`${field}.Version`, `${version} is not 1`, 0);
    if (endianness !== 0x10) throw new MalformedTokenError(`${field}.Endianness`, `${endianness} is not 0x10`, 1);
    if (headerLength !== 8) throw new MalformedTokenError(`${field}.CommonHeaderLength`, `${headerLength} is not 8`, 2);
    const length = reader.u32le(`${field}.ObjectBufferLength`);
    reader.skip(4, `${field}.Filler`);
    return new NdrReader(reader.sub(length, `${field}.ObjectBuffer`));
  }

  /** Skips to a multiple of `size` bytes. */
  align(size: number, field: string): void {
    const over = (this.reader.offset - this.#origin) % size;
    if (over !== 0) this.reader.skip(size - over, field);
  }

  u16(field: string): number {
    this.align(2, field);
    return this.reader.u16le(field);
  }

  u32(field: string): number {
    this.align(4, field);
    return this.reader.u32le(field);
  }

  /** A unique pointer (C706 14.3.12): whether a pointee will follow. */
  pointer(field: string): boolean {
    return this.u32(field) !== 0;
  }

  /** FILETIME, two 32-bit numbers aligned to four: 100 ns since 1601-01-01. */
  filetime(field: string): bigint {
    this.align(4, field);
    return this.reader.u64le(field);
  }

  /**
   * The number of elements of a conformant array.
   *
   * @param elementBytes smallest size of one element in bytes; a count that does not fit into the bytes is refused
   * @param cap largest count allowed
   */
  conformance(field: string, elementBytes: number, cap: number): number {
    const at = this.reader.offset;
    const count = this.u32(`${field}.MaximumCount`);
    if (count > cap) throw new MalformedTokenError(`${field}.MaximumCount`, `${count} is above ${cap}`, at);
    if (count * elementBytes > this.reader.remaining) {
      throw new MalformedTokenError(`${field}.MaximumCount`, `${count} elements do not fit`, at);
    }
    return count;
  }

  /** RPC_UNICODE_STRING: Length, MaximumLength, pointer. */
  unicodeString(field: string): NdrUnicodeString {
    this.align(4, field);
    const at = this.reader.offset;
    const length = this.reader.u16le(`${field}.Length`);
    const maximum = this.reader.u16le(`${field}.MaximumLength`);
    const present = this.pointer(`${field}.Buffer`);
    if (length % 2 !== 0 || length > maximum) {
      throw new MalformedTokenError(`${field}.Length`, `${length} of ${maximum} bytes is not a UTF-16 string`, at);
    }
    if (!present && length !== 0) throw new MalformedTokenError(`${field}.Buffer`, 'is missing', at);
    return { length, present };
  }

  /** The characters of an RPC_UNICODE_STRING (a conformant varying array, C706 14.3.3.4). */
  unicodeStringBuffer(string: NdrUnicodeString, field: string): string {
    if (!string.present) return '';
    const at = this.reader.offset;
    const maximum = this.u32(`${field}.MaximumCount`);
    const offset = this.u32(`${field}.Offset`);
    const actual = this.u32(`${field}.ActualCount`);
    if (offset !== 0 || actual > maximum || actual * 2 < string.length || actual > 0x8000) {
      throw new MalformedTokenError(
        `${field}.ActualCount`,
        `${actual} of ${maximum} from ${offset} is not a string`,
        at,
      );
    }
    const characters = this.reader.take(actual * 2, field);
    return decodeUtf16le(characters.subarray(0, string.length), field);
  }
}
