/**
 * The memory of one call: parameters in, results out, at fixed offsets in a block that never moves, so that a call needs
 * no structure marshalled and may run on another thread.
 *
 * Layout for 64-bit little-endian machines, which are all that Node and these libraries share. gss_buffer_desc is
 * { size_t length; void *value } (RFC 2744 section 3.2).
 */
import type { ChannelBindings } from '../../../formats/channel-bindings.ts';
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
/** gss_channel_bindings_struct, RFC 2744 section 3.11: 64 bytes at most. */
const BINDINGS = 144;
const CLEARED = BINDINGS;
const BINDINGS_DATA = BINDINGS + 64;
const TOKEN = BINDINGS_DATA + MAX_BINDINGS_BYTES;
const RESULT = TOKEN + MAX_TOKEN_BYTES;
/** Results up to here are copied through the frame: that is faster than to hand JavaScript's own memory to koffi. */
const RESULT_BYTES = 16384;
const FRAME_BYTES = RESULT + RESULT_BYTES;

/** Frames are reused, never freed: koffi's views of freed memory would dangle. */
export class Frame {
  readonly library: GssapiLibrary;
  readonly #bytes: Buffer;
  /** The same bytes: V8 compiles its accessors inline, those of Buffer go by way of several numbers. */
  readonly #view: DataView;
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
  readonly #tokenAddress: bigint;
  readonly #resultAddress: bigint;

  constructor(library: GssapiLibrary) {
    const { address, bytes } = library.allocate(FRAME_BYTES);
    const at = (offset: number): bigint => address + BigInt(offset);
    this.library = library;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#tokenAddress = at(TOKEN);
    this.#resultAddress = at(RESULT);
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
    this.#setBuffer(INPUT, this.#tokenAddress, token.byteLength);
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
    const offsets = this.library.layout.bindings;
    const parts = [
      [initiatorAddress, offsets.initiatorAddress],
      [acceptorAddress, offsets.acceptorAddress],
      [applicationData, offsets.applicationData],
    ] as const;
    if (parts.reduce((sum, [part]) => sum + part.byteLength, 0) > MAX_BINDINGS_BYTES) return undefined;
    this.#view.setUint32(BINDINGS, bindings.initiatorAddressType, true);
    this.#view.setUint32(BINDINGS + offsets.acceptorAddressType, bindings.acceptorAddressType, true);
    let at = BINDINGS_DATA;
    for (const [part, offset] of parts) {
      this.#bytes.set(part, at);
      this.#setBuffer(BINDINGS + offset, part.byteLength === 0 ? 0n : this.#base + BigInt(at), part.byteLength);
      at += part.byteLength;
    }
    return this.bindings;
  }

  #setBuffer(offset: number, address: bigint, length: number): void {
    this.#view.setUint32(offset, length, true);
    this.#view.setUint32(offset + 4, 0, true);
    this.#view.setBigUint64(offset + 8, address, true);
  }

  /** minor_status as a signed number, as com_err and krb5 count. */
  get minorStatus(): number {
    return this.#view.getInt32(MINOR, true);
  }

  get contextFlags(): number {
    return this.#view.getUint32(FLAGS, true);
  }

  /** Seconds of life. */
  get lifetime(): number {
    return this.#view.getUint32(TIME, true);
  }

  get numberAValue(): number {
    return this.#view.getInt32(NUMBER_A, true);
  }

  set numberAValue(value: number) {
    this.#view.setInt32(NUMBER_A, value, true);
  }

  set moreValue(value: number) {
    this.#view.setInt32(MORE, value, true);
  }

  get moreValue(): number {
    return this.#view.getInt32(MORE, true);
  }

  /** gss_ctx_id_t; 0 where there is none. */
  get contextHandle(): bigint {
    return this.#view.getBigUint64(CONTEXT, true);
  }

  set contextHandle(handle: bigint) {
    this.#view.setBigUint64(CONTEXT, handle, true);
  }

  get sourceNameHandle(): bigint {
    return this.#view.getBigUint64(SOURCE_NAME, true);
  }

  get delegatedHandle(): bigint {
    return this.#view.getBigUint64(DELEGATED, true);
  }

  get pointerValue(): bigint {
    return this.#view.getBigUint64(POINTER, true);
  }

  set pointerValue(value: bigint) {
    this.#view.setBigUint64(POINTER, value, true);
  }

  /** Copies the output buffer and lets the library free it. */
  takeOutput(): Buffer | undefined {
    return this.#take(OUTPUT, this.output);
  }

  /** Points the second buffer at native memory. */
  setValueAt(address: bigint, length: number): void {
    this.#setBuffer(VALUE, address, length);
  }

  /** The second output buffer as UTF-8 text; lets the library free it. */
  takeDisplayText(): string | undefined {
    const length = this.#fetch(DISPLAY);
    if (length === undefined) return this.#take(DISPLAY, this.display)?.toString('utf8');
    this.#release(DISPLAY, this.display);
    return this.#bytes.toString('utf8', RESULT, RESULT + length);
  }

  /**
   * The second output buffer, which the library frees. What fits is a view of this frame, until the next result is taken
   * or the next call is laid out; a copy otherwise.
   */
  readDisplay(): Buffer | undefined {
    const length = this.#fetch(DISPLAY);
    if (length === undefined) return this.#take(DISPLAY, this.display);
    this.#release(DISPLAY, this.display);
    return this.#bytes.subarray(RESULT, RESULT + length);
  }

  /** Lets the library free the third output buffer. */
  dropText(): void {
    if (this.#view.getBigUint64(TEXT + 8, true) !== 0n) this.#release(TEXT, this.text);
  }

  /** Lets the library free the output buffer, where nobody took it. */
  dropOutput(): void {
    if (this.#view.getBigUint64(OUTPUT + 8, true) !== 0n) this.#release(OUTPUT, this.output);
  }

  #take(offset: number, address: bigint): Buffer | undefined {
    const value = this.#view.getBigUint64(offset + 8, true);
    if (value === 0n) return undefined;
    const fetched = this.#fetch(offset);
    const bytes = fetched === undefined ? this.library.copy(value, this.#length(offset)) : Buffer.allocUnsafe(fetched);
    if (fetched !== undefined) this.#bytes.copy(bytes, 0, RESULT, RESULT + fetched);
    this.#release(offset, address);
    return bytes;
  }

  #length(offset: number): number {
    return this.#view.getUint32(offset, true) + this.#view.getUint32(offset + 4, true) * 0x100000000;
  }

  /** Copies what a gss_buffer_desc points at into the frame. @returns its length; undefined where it is none or long */
  #fetch(offset: number): number | undefined {
    const value = this.#view.getBigUint64(offset + 8, true);
    const length = this.#length(offset);
    if (value === 0n || length > RESULT_BYTES) return undefined;
    if (length > 0) this.library.move(this.#resultAddress, value, length);
    return length;
  }

  #release(offset: number, address: bigint): void {
    this.library.gss.releaseBuffer(this.minor, address);
    this.#view.setBigUint64(offset, 0n, true);
    this.#view.setBigUint64(offset + 8, 0n, true);
  }
}
