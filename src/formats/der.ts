/**
 * The part of DER (X.690 section 10) that GSS tokens, SPNEGO, Kerberos and CredSSP need: a bounded reader that accepts
 * only the canonical form, and a writer.
 *
 * Refused as malformed: indefinite lengths, lengths that are not in their shortest form, lengths that leave the buffer,
 * tags above 30, nesting deeper than DER_MAX_DEPTH, numbers and OID arcs wider than 32 bits (attacks B01 to B03). The
 * reader never recurses on its own: its caller enters only the elements that its specification names.
 */
import { MalformedTokenError } from '../foundation/errors.ts';
import { OID_KERBEROS, OID_KERBEROS_MICROSOFT, OID_NEGOEX, OID_NTLM, OID_SPNEGO } from './object-identifiers.ts';

/** Identifier octets (X.690 section 8.1.2) of the universal types in use. */
export const DER_INTEGER = 0x02;
export const DER_BIT_STRING = 0x03;
export const DER_OCTET_STRING = 0x04;
export const DER_OBJECT_IDENTIFIER = 0x06;
export const DER_ENUMERATED = 0x0a;
export const DER_SEQUENCE = 0x30;
export const DER_GENERAL_STRING = 0x1b;
export const DER_GENERALIZED_TIME = 0x18;

/** How deep constructed elements may be nested. */
export const DER_MAX_DEPTH = 16;
/** Longest OBJECT IDENTIFIER that is read, in content bytes. */
const MAX_OID_BYTES = 64;

/** Identifier octet of a constructed context-specific tag `[number]`, number 0 to 30. */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

/** Identifier octet of a constructed application tag `[APPLICATION number]`, number 0 to 30. */
export function applicationTag(number: number): number {
  return 0x60 | number;
}

/**
 * A cursor over the elements of one nesting level. Each read names its field, so an error can say which field is wrong
 * and at which offset. Values are views of the input, not copies.
 */
export class DerReader {
  readonly bytes: Uint8Array;
  #offset: number;
  readonly #end: number;
  readonly #depth: number;

  /**
   * @param bytes the input; must not change while it is read
   * @param start first readable offset, in bytes
   * @param end offset after the last readable byte
   * @param depth nesting depth of this level
   */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.byteLength, depth = 0) {
    if (!(start >= 0 && end <= bytes.byteLength && start <= end)) {
      throw new RangeError(`DerReader: ${start}..${end} is not inside ${bytes.byteLength} bytes`);
    }
    this.bytes = bytes;
    this.#offset = start;
    this.#end = end;
    this.#depth = depth;
  }

  /** Offset of the next element, from the start of `bytes`. */
  get offset(): number {
    return this.#offset;
  }

  /** How many bytes are left on this level. */
  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** Identifier octet of the next element; undefined at the end. */
  peek(): number | undefined {
    return this.#offset < this.#end ? this.bytes[this.#offset] : undefined;
  }

  /**
   * Reads the header of the next element and moves past the element. Returns the offset of its content, which ends at
   * the new #offset.
   */
  #header(tag: number, field: string): number {
    const at = this.#offset;
    const identifier = this.peek();
    if (identifier === undefined) throw new MalformedTokenError(field, 'is missing', at);
    if ((identifier & 0x1f) === 0x1f) throw new MalformedTokenError(field, 'has a tag above 30', at);
    if (identifier !== tag) {
      throw new MalformedTokenError(field, `has tag 0x${hex(identifier)}, not 0x${hex(tag)}`, at);
    }
    let content = at + 2;
    let length = this.#byte(at + 1, field);
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0) throw new MalformedTokenError(field, 'has an indefinite length', at);
      if (count > 4) throw new MalformedTokenError(field, `has a length of ${count} bytes`, at);
      length = 0;
      for (let index = 0; index < count; index++) length = length * 0x100 + this.#byte(content + index, field);
      if (length < 0x80 || (count > 1 && length < leastLength(count))) {
        throw new MalformedTokenError(field, 'has a length that is not in its shortest form', at);
      }
      content += count;
    }
    if (length > this.#end - content) {
      throw new MalformedTokenError(field, `needs ${length} bytes, ${this.#end - content} are left`, at);
    }
    this.#offset = content + length;
    return content;
  }

  #byte(offset: number, field: string): number {
    const value = offset < this.#end ? this.bytes[offset] : undefined;
    if (value === undefined) throw new MalformedTokenError(field, 'is cut off', this.#offset);
    return value;
  }

  /** A reader over the content of the next element, which must be constructed and have this tag. */
  enter(tag: number, field: string): DerReader {
    if (this.#depth >= DER_MAX_DEPTH) {
      throw new MalformedTokenError(field, `lies deeper than ${DER_MAX_DEPTH} elements`, this.#offset);
    }
    const content = this.#header(tag, field);
    return new DerReader(this.bytes, content, this.#offset, this.#depth + 1);
  }

  /**
   * Like `enter`, for an optional element: if the next element has another tag or there is none, reads nothing and
   * returns undefined.
   */
  enterOptional(tag: number, field: string): DerReader | undefined {
    return this.peek() === tag ? this.enter(tag, field) : undefined;
  }

  /** Content bytes of the next element, which must have this tag. */
  content(tag: number, field: string): Uint8Array {
    const content = this.#header(tag, field);
    return this.bytes.subarray(content, this.#offset);
  }

  /** The next element with its header, exactly as received. */
  element(tag: number, field: string): Uint8Array {
    const at = this.#offset;
    this.#header(tag, field);
    return this.bytes.subarray(at, this.#offset);
  }

  /** The rest of this level as bytes, for an inner token in another format. */
  rest(): Uint8Array {
    const at = this.#offset;
    this.#offset = this.#end;
    return this.bytes.subarray(at, this.#end);
  }

  octetString(field: string): Uint8Array {
    return this.content(DER_OCTET_STRING, field);
  }

  /** INTEGER from -2^31 to 2^32-1: every signed and every unsigned number of 32 bits. */
  integer(field: string): number {
    return this.#integer(DER_INTEGER, field);
  }

  /** INTEGER inside an explicit tag, such as `[0] INTEGER`. The tag must contain nothing else. */
  explicitInteger(tag: number, field: string): number {
    const end = this.#open(tag, field);
    const value = this.integer(field);
    if (this.#offset !== end) throw new MalformedTokenError(field, 'does not fill its explicit tag', this.#offset);
    return value;
  }

  /** Content bytes of an element inside an explicit tag. The tag must contain nothing else. */
  explicitContent(explicitTag: number, tag: number, field: string): Uint8Array {
    const end = this.#open(explicitTag, field);
    const content = this.content(tag, field);
    if (this.#offset !== end) throw new MalformedTokenError(field, 'does not fill its explicit tag', this.#offset);
    return content;
  }

  /**
   * Moves to the content of the next element and returns where it ends. No new reader is made, because Kerberos tags
   * every field this way.
   */
  #open(tag: number, field: string): number {
    const content = this.#header(tag, field);
    const end = this.#offset;
    this.#offset = content;
    return end;
  }

  /** ENUMERATED, in the same range. */
  enumerated(field: string): number {
    return this.#integer(DER_ENUMERATED, field);
  }

  #integer(tag: number, field: string): number {
    const at = this.#offset;
    const content = this.#header(tag, field);
    const length = this.#offset - content;
    if (length === 0 || length > 5) throw new MalformedTokenError(field, `is a number of ${length} bytes`, at);
    let value = (this.#byte(content, field) << 24) >> 24;
    for (let index = 1; index < length; index++) {
      const next = this.#byte(content + index, field);
      // The first nine bits must not all be equal: X.690 section 8.3.2.
      if (index === 1 && (value === 0 || value === -1) && next >> 7 === (value & 1)) {
        throw new MalformedTokenError(field, 'is a number that is not in its shortest form', at);
      }
      value = value * 0x100 + next;
    }
    if (value < -0x80000000 || value > 0xffffffff) throw new MalformedTokenError(field, 'has more than 32 bits', at);
    return value;
  }

  /**
   * BIT STRING: its bytes, and how many bits at the end are unused. Unused bits must be zero (X.690 section 11.2.1).
   */
  bitString(field: string): { readonly bytes: Uint8Array; readonly unusedBits: number } {
    const at = this.#offset;
    const content = this.content(DER_BIT_STRING, field);
    const unusedBits = content[0];
    const last = content[content.byteLength - 1];
    if (unusedBits === undefined || last === undefined) throw new MalformedTokenError(field, 'is empty', at);
    if (unusedBits > 7 || (unusedBits > 0 && content.byteLength === 1)) {
      throw new MalformedTokenError(field, `has ${unusedBits} unused bits`, at);
    }
    if (content.byteLength > 1 && (last & ((1 << unusedBits) - 1)) !== 0) {
      throw new MalformedTokenError(field, 'has unused bits that are set', at);
    }
    return { bytes: content.subarray(1), unusedBits };
  }

  /** OBJECT IDENTIFIER in dotted form. Arcs have at most 32 bits. */
  objectIdentifier(field: string): string {
    const at = this.#offset;
    const content = this.#header(DER_OBJECT_IDENTIFIER, field);
    const length = this.#offset - content;
    if (length === 0 || length > MAX_OID_BYTES)
      throw new MalformedTokenError(field, `is an OID of ${length} bytes`, at);
    const known = knownIdentifier(this.bytes, content, length);
    if (known !== undefined) return known;
    let dotted = '';
    let arc = 0;
    let started = false;
    for (let index = content; index < this.#offset; index++) {
      const value = this.#byte(index, field);
      if (!started && value === 0x80) throw new MalformedTokenError(field, 'has an arc not in its shortest form', at);
      arc = arc * 0x80 + (value & 0x7f);
      if (arc > 0xffffffff) throw new MalformedTokenError(field, 'has an arc of more than 32 bits', at);
      started = value >= 0x80;
      if (started) continue;
      if (dotted === '') {
        // The first two arcs share one number: X.690 section 8.19.4.
        const first = arc < 80 ? Math.floor(arc / 40) : 2;
        dotted = `${first}.${arc - first * 40}`;
      } else {
        dotted += `.${arc}`;
      }
      arc = 0;
    }
    if (started) throw new MalformedTokenError(field, 'has an arc that is cut off', at);
    return dotted;
  }

  /** Fails unless every byte of this level was read. */
  expectEnd(field: string): void {
    if (this.remaining !== 0) {
      throw new MalformedTokenError(field, `${this.remaining} bytes too many`, this.#offset);
    }
  }
}

/** Enters a SEQUENCE and checks that nothing follows it. */
export function onlySequence(wrapper: DerReader, field: string): DerReader {
  const sequence = wrapper.enter(DER_SEQUENCE, field);
  wrapper.expectEnd(field);
  return sequence;
}

/** OIDs that nearly every token names: content bytes and dotted form, so that the dotted form need not be built. */
const knownIdentifiers: readonly (readonly [Uint8Array, string])[] = [
  ...[OID_SPNEGO, OID_KERBEROS, OID_KERBEROS_MICROSOFT, OID_NTLM, OID_NEGOEX],
].map((dotted) => [derObjectIdentifier(dotted).subarray(2), dotted]);

function knownIdentifier(bytes: Uint8Array, content: number, length: number): string | undefined {
  for (const [identifier, dotted] of knownIdentifiers) {
    if (identifier.byteLength !== length) continue;
    let index = 0;
    while (index < length && identifier[index] === bytes[content + index]) index++;
    if (index === length) return dotted;
  }
  return undefined;
}

/** The smallest length that needs `count` bytes, for a count of 2 to 4. */
function leastLength(count: number): number {
  return count === 2 ? 0x100 : count === 3 ? 0x10000 : 0x1000000;
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}

/** Size in bytes of the header (identifier octet and shortest length) for `length` bytes of content. */
export function derHeaderBytes(length: number): number {
  return length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : length < 0x1000000 ? 5 : 6;
}

/**
 * Writes the header of an element. The caller writes the content after it.
 *
 * @param at offset of the identifier octet
 * @param length content bytes, below 2^32
 * @returns offset of the content
 */
export function writeDerHeader(bytes: Uint8Array, at: number, tag: number, length: number): number {
  const content = at + derHeaderBytes(length);
  bytes[at] = tag;
  if (length < 0x80) {
    bytes[at + 1] = length;
  } else {
    bytes[at + 1] = 0x80 | (content - at - 2);
    for (let index = content - 1, rest = length; index > at + 1; index--, rest >>>= 8) bytes[index] = rest & 0xff;
  }
  return content;
}

/**
 * One element: identifier octet, shortest length, content.
 *
 * @param tag identifier octet, such as DER_SEQUENCE or contextTag(0)
 * @param parts the content, in parts that follow each other
 */
export function derElement(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.byteLength;
  const bytes = new Uint8Array(derHeaderBytes(length) + length);
  let at = writeDerHeader(bytes, 0, tag, length);
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

/** OCTET STRING. */
export function derOctetString(bytes: Uint8Array): Uint8Array {
  return derElement(DER_OCTET_STRING, bytes);
}

/**
 * INTEGER, or ENUMERATED if `tag` says so.
 *
 * @param value -2^31 to 2^32-1
 * @throws RangeError for any other value
 */
export function derInteger(value: number, tag: number = DER_INTEGER): Uint8Array {
  if (!(Number.isInteger(value) && value >= -0x80000000 && value <= 0xffffffff)) {
    throw new RangeError('derInteger: not a number of 32 bits');
  }
  let count = 1;
  while (value < -(0x80 * 0x100 ** (count - 1)) || value >= 0x80 * 0x100 ** (count - 1)) count++;
  const content = new Uint8Array(count);
  for (let index = count - 1, rest = value; index >= 0; index--, rest = Math.floor(rest / 0x100)) content[index] = rest;
  return derElement(tag, content);
}

/** ENUMERATED. */
export function derEnumerated(value: number): Uint8Array {
  return derInteger(value, DER_ENUMERATED);
}

/**
 * OBJECT IDENTIFIER.
 *
 * @param dotted at least two arcs, such as `1.3.6.1.5.5.2`
 * @throws RangeError where that is not an object identifier with arcs of at most 32 bits
 */
export function derObjectIdentifier(dotted: string): Uint8Array {
  const arcs = dotted.split('.').map((text) => (/^(?:0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : NaN));
  const [first = NaN, second = NaN, ...rest] = arcs;
  if (!(first <= 2 && second < (first === 2 ? 0x100000000 - 80 : 40) && rest.every((arc) => arc <= 0xffffffff))) {
    throw new RangeError(`derObjectIdentifier: ${JSON.stringify(dotted)} is not an object identifier`);
  }
  const content: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    let groups = 1;
    while (groups < 5 && arc >= 0x80 ** groups) groups++;
    for (let group = groups - 1; group >= 0; group--) {
      content.push((Math.floor(arc / 0x80 ** group) & 0x7f) | (group === 0 ? 0 : 0x80));
    }
  }
  return derElement(DER_OBJECT_IDENTIFIER, Uint8Array.from(content));
}
