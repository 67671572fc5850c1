/**
 * The memory of one call: parameters in, results out, at fixed offsets in a block that never moves, so that a call needs
 * no structure marshalled and may run on another thread.
 *
 * Layout for 64-bit little-endian machines, which are all that Node and these libraries share. gss_buffer_desc is
 * { size_t length; void *value } (RFC 2744 section 3.2).
 */
import type { ChannelBindings } from '../../formats/channel-bindings.ts';
import type { GssapiLibrary } from './library.ts';

/** Largest token taken, in bytes (attack A05): Windows' own limit for Kerberos is 48 000. */
export const MAX_TOKEN_BYTES = 65536;
/** Room for the packed application data of channel bindings; a TLS binding has 85 bytes at most. */
const MAX_BINDINGS_BYTES = 1024;

const MINOR = 0;
const FLAGS = 4;
const TIME = 8;
const NUMBER_A = 12;
const NUMBER_B = 16;
const MORE = 20;
const CONTEXT = 24;
const SOURCE_NAME = 32;
const MECHANISM = 40;
const DELEGATED = 48;
const POINTER = 56;
const INPUT = 64;
const OUTPUT = 80;
const VALUE = 96;
const DISPLAY = 112;
const TEXT = 128;
/** gss_channel_bindings_struct, RFC 2744 section 3.11: 64 bytes. */
const BINDINGS = 144;
const CLEARED = BINDINGS;
const BINDINGS_DATA = BINDINGS + 64;
const TOKEN = BINDINGS_DATA + MAX_BINDINGS_BYTES;
const FRAME_BYTES = TOKEN + MAX_TOKEN_BYTES;

/** Frames are reused, never freed: koffi's views of freed memory would dangle. */
export class Frame {
  readonly library: GssapiLibrary;
  readonly #bytes: Buffer;
  readonly minor: bigint;
  readonly flags: bigint;
  readonly time: bigint;
  readonly numberA: bigint;
  readonly numberB: bigint;
  readonly more: bigint;
  readonly context: bigint;
  readonly sourceName: bigint;
  readonly mechanism: bigint;
  readonly delegated: bigint;
  readonly pointer: bigint;
  readonly input: bigint;
  readonly output: bigint;
  readonly value: bigint;
  readonly display: bigint;
  readonly text: bigint;
  readonly bindings: bigint;
  readonly #base: bigint;

  constructor(library: GssapiLibrary) {
    const { address, bytes } = library.allocate(FRAME_BYTES);
    const at = (offset: number): bigint => address + BigInt(offset);
    this.library = library;
    this.#bytes = bytes;
    this.#base = address;
    this.minor = at(MINOR);
    this.flags = at(FLAGS);
    this.time = at(TIME);
    this.numberA = at(NUMBER_A);
    this.numberB = at(NUMBER_B);
    this.more = at(MORE);
    this.context = at(CONTEXT);
    this.sourceName = at(SOURCE_NAME);
    this.mechanism = at(MECHANISM);
    this.delegated = at(DELEGATED);
    this.pointer = at(POINTER);
    this.input = at(INPUT);
    this.output = at(OUTPUT);
    this.value = at(VALUE);
    this.display = at(DISPLAY);
    this.text = at(TEXT);
    this.bindings = at(BINDINGS);
  }

  /** Zeroes what the last call left. */
  clear(): void {
    this.#bytes.fill(0, 0, CLEARED);
  }

  /** Copies a token in as the input buffer; it must have MAX_TOKEN_BYTES at most. */
  setToken(token: Uint8Array): void {
    this.#bytes.set(token, TOKEN);
    this.#setBuffer(INPUT, this.#base + BigInt(TOKEN), token.byteLength);
  }

  /** Points the input buffer at bytes that must stay referenced, and unchanged, during the call. */
  setInput(bytes: Uint8Array): void {
    this.#setBuffer(INPUT, bytes.byteLength === 0 ? 0n : this.library.addressOf(bytes), bytes.byteLength);
  }

  /** Points the second buffer at bytes that must stay referenced during the call. */
  setValue(bytes: Uint8Array): void {
    this.#setBuffer(VALUE, bytes.byteLength === 0 ? 0n : this.library.addressOf(bytes), bytes.byteLength);
  }

  /**
   * Lays out gss_channel_bindings_struct.
   *
   * @returns its address, or undefined where the bindings are larger than any real ones
   */
  setBindings(bindings: ChannelBindings): bigint | undefined {
    const { initiatorAddress, acceptorAddress, applicationData } = bindings;
    const parts = [initiatorAddress, acceptorAddress, applicationData];
    if (parts.reduce((sum, part) => sum + part.byteLength, 0) > MAX_BINDINGS_BYTES) return undefined;
    this.#bytes.writeUInt32LE(bindings.initiatorAddressType, BINDINGS);
    this.#bytes.writeUInt32LE(bindings.acceptorAddressType, BINDINGS + 24);
    let at = BINDINGS_DATA;
    for (const [index, part] of parts.entries()) {
      this.#bytes.set(part, at);
      const offset = [BINDINGS + 8, BINDINGS + 32, BINDINGS + 48][index] ?? 0;
      this.#setBuffer(offset, part.byteLength === 0 ? 0n : this.#base + BigInt(at), part.byteLength);
      at += part.byteLength;
    }
    return this.bindings;
  }

  #setBuffer(offset: number, address: bigint, length: number): void {
    this.#bytes.writeUInt32LE(length, offset);
    this.#bytes.writeUInt32LE(0, offset + 4);
    this.#bytes.writeBigUInt64LE(address, offset + 8);
  }

  /** minor_status as a signed number, as com_err and krb5 count. */
  get minorStatus(): number {
    return this.#bytes.readInt32LE(MINOR);
  }

  get contextFlags(): number {
    return this.#bytes.readUInt32LE(FLAGS);
  }

  /** Seconds of life. */
  get lifetime(): number {
    return this.#bytes.readUInt32LE(TIME);
  }

  get numberAValue(): number {
    return this.#bytes.readInt32LE(NUMBER_A);
  }

  set numberAValue(value: number) {
    this.#bytes.writeInt32LE(value, NUMBER_A);
  }

  set moreValue(value: number) {
    this.#bytes.writeInt32LE(value, MORE);
  }

  get moreValue(): number {
    return this.#bytes.readInt32LE(MORE);
  }

  /** gss_ctx_id_t; 0 where there is none. */
  get contextHandle(): bigint {
    return this.#bytes.readBigUInt64LE(CONTEXT);
  }

  set contextHandle(handle: bigint) {
    this.#bytes.writeBigUInt64LE(handle, CONTEXT);
  }

  get sourceNameHandle(): bigint {
    return this.#bytes.readBigUInt64LE(SOURCE_NAME);
  }

  get delegatedHandle(): bigint {
    return this.#bytes.readBigUInt64LE(DELEGATED);
  }

  get pointerValue(): bigint {
    return this.#bytes.readBigUInt64LE(POINTER);
  }

  set pointerValue(value: bigint) {
    this.#bytes.writeBigUInt64LE(value, POINTER);
  }

  /** Copies the output buffer and lets the library free it. */
  takeOutput(): Buffer | undefined {
    return this.#take(OUTPUT, this.output);
  }

  /** Copies the second output buffer and lets the library free it. */
  takeDisplay(): Buffer | undefined {
    return this.#take(DISPLAY, this.display);
  }

  /** Copies the third output buffer and lets the library free it. */
  takeText(): Buffer | undefined {
    return this.#take(TEXT, this.text);
  }

  #take(offset: number, address: bigint): Buffer | undefined {
    const length = Number(this.#bytes.readBigUInt64LE(offset));
    const value = this.#bytes.readBigUInt64LE(offset + 8);
    if (value === 0n) return undefined;
    const bytes = this.library.copy(value, length);
    this.library.gss.releaseBuffer(this.minor, address);
    this.#bytes.fill(0, offset, offset + 16);
    return bytes;
  }
}
