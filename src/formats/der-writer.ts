/**
 * Writes DER in one buffer, from its end to its beginning: the length of an element is known when its header is written.
 * For messages that every sign-in has; derElement is plainer.
 */
import { derHeaderBytes, DER_INTEGER, writeDerHeader } from './der.ts';

/** Room of a new writer, in bytes. */
const FIRST_BYTES = 512;

export class DerWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #start = FIRST_BYTES;

  /** How many bytes are written: what `element` gets later. */
  get length(): number {
    return this.#bytes.byteLength - this.#start;
  }

  /** Takes room in front of what is written. @returns its offset */
  #take(count: number): number {
    if (count > this.#start) {
      const grown = new Uint8Array(2 * (this.#bytes.byteLength + count));
      const start = grown.byteLength - this.length;
      grown.set(this.#bytes.subarray(this.#start), start);
      this.#bytes.fill(0);
      this.#bytes = grown;
      this.#start = start;
    }
    return (this.#start -= count);
  }

  /** Writes bytes as they are. */
  bytes(part: Uint8Array): void {
    const at = this.#take(part.byteLength);
    this.#bytes.set(part, at);
  }

  /** Writes one byte, 0 to 255. */
  byte(value: number): void {
    const at = this.#take(1);
    this.#bytes[at] = value;
  }

  /**
   * Writes an identifier octet and a length: all that was written since becomes the content of one element.
   *
   * @param tag identifier octet, such as DER_SEQUENCE or contextTag(0)
   * @param since `length` before the content was written
   */
  element(tag: number, since: number): void {
    const length = this.length - since;
    const at = this.#take(derHeaderBytes(length));
    writeDerHeader(this.#bytes, at, tag, length);
  }

  /** INTEGER of 0 to 2^32-1. */
  integer(value: number): void {
    const since = this.length;
    let rest = value;
    do {
      this.byte(rest % 0x100);
      rest = Math.floor(rest / 0x100);
    } while (rest > 0);
    // The first bit is the sign: X.690 section 8.3.
    if ((this.#bytes[this.#start] ?? 0) >= 0x80) this.byte(0);
    this.element(DER_INTEGER, since);
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(this.#start));
  }

  /** Wipes what was written; the writer begins anew. */
  wipe(): void {
    this.#bytes.fill(0, this.#start);
    this.#start = this.#bytes.byteLength;
  }
}
