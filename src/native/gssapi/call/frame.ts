/**
 * The memory of one native call: its parameters and results, at fixed offsets in a block that never moves. So koffi
 * does not have to marshal structures, and the call may run on another thread.
 *
 * The layout is that of 64-bit little-endian machines: Node and these libraries have no other machine in common.
 * gss_buffer_desc is { size_t length; void *value } (RFC 2744 section 3.2).
 */
import type { ChannelBindings } from '../../../formats/channel-bindings.ts';
import { decodeUtf8 } from '../../../formats/utf8.ts';
import { MAX_TOKEN_BYTES } from '../../../kerberos/package-info.ts';
import type { GssapiLibrary } from './library.ts';

/**
 * Space for the addresses and the application data of channel bindings, in bytes. A TLS binding has at most 85 bytes.
 */
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
/**
 * Results up to this size, in bytes, are copied through the frame. That is faster than to pass a JavaScript buffer to
 * koffi.
 */
const RESULT_BYTES = 16384;
const FRAME_BYTES = RESULT + RESULT_BYTES;

/**
 * Parameters and results of a call. Frames are reused and never freed: views of freed native memory would be invalid.
 */
export class Frame {
  readonly library: GssapiLibrary;
  readonly #bytes: Buffer;
  /** The same bytes. V8 inlines the accessors of DataView; those of Buffer compose their value from several numbers. */
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

  /** Zeroes the parameters and results of the last call. */
  clear(): void {
    this.#bytes.fill(0, 0, CLEARED);
  }

  /** Copies a token into the frame, as the input buffer. It must not be larger than MAX_TOKEN_BYTES. */
  setToken(token: Uint8Array): void {
    this.#bytes.set(token, TOKEN);
    this.#setBuffer(INPUT, this.#tokenAddress, token.byteLength);
  }

  /** Points the input buffer at `bytes`. They must stay referenced and unchanged during the call. */
  setInput(bytes: Uint8Array): void {
    this.#setBuffer(INPUT, bytes.byteLength === 0 ? 0n : this.library.addressOf(bytes), bytes.byteLength);
  }

  /** Points the second input buffer at `bytes`. They must stay referenced and unchanged during the call. */
  setValue(bytes: Uint8Array): void {
    this.#setBuffer(VALUE, bytes.byteLength === 0 ? 0n : this.library.addressOf(bytes), bytes.byteLength);
  }

  /**
   * Writes a gss_channel_bindings_struct into the frame.
   *
   * @returns its address; undefined if the bindings have more than 1024 bytes, which no real ones have
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

  /** minor_status as a signed number, as com_err and krb5 use it. */
  get minorStatus(): number {
    return this.#view.getInt32(MINOR, true);
  }

  get contextFlags(): number {
    return this.#view.getUint32(FLAGS, true);
  }

  /** Lifetime of the context in seconds. */
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

  /** gss_ctx_id_t; 0 if there is no context. */
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

  /** Copies the output buffer, then has the library free it. Undefined if there is none. */
  takeOutput(): Buffer | undefined {
    return this.#take(OUTPUT, this.output);
  }

  /** Points the second input buffer at native memory. */
  setValueAt(address: bigint, length: number): void {
    this.#setBuffer(VALUE, address, length);
  }

  /**
   * The same for the name of a principal, which must be UTF-8. Bytes that are not would all become the same replacement
   * character, and two principals would have one name (attack D22).
   *
   * @throws MalformedTokenError if the name is not UTF-8
   */
  takeDisplayName(): string | undefined {
    const bytes = this.readDisplay();
    return bytes === undefined ? undefined : decodeUtf8(bytes, 'principal name');
  }

  /** Copies the second output buffer as UTF-8 text, then has the library free it. Undefined if there is none. */
  takeDisplayText(): string | undefined {
    const length = this.#fetch(DISPLAY);
    if (length === undefined) return this.#take(DISPLAY, this.display)?.toString('utf8');
    this.#release(DISPLAY, this.display);
    return this.#bytes.toString('utf8', RESULT, RESULT + length);
  }

  /**
   * Reads the second output buffer, then has the library free it. Undefined if there is none.
   *
   * @returns up to RESULT_BYTES a view of this frame, valid until the next result is taken or the next call is
   *   prepared; otherwise a copy
   */
  readDisplay(): Buffer | undefined {
    const length = this.#fetch(DISPLAY);
    if (length === undefined) return this.#take(DISPLAY, this.display);
    this.#release(DISPLAY, this.display);
    return this.#bytes.subarray(RESULT, RESULT + length);
  }

  /** Has the library free the third output buffer, if there is one. */
  dropText(): void {
    if (this.#view.getBigUint64(TEXT + 8, true) !== 0n) this.#release(TEXT, this.text);
  }

  /** Has the library free the output buffer, unless it was taken. */
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

  /**
   * Copies the content of a gss_buffer_desc into the frame.
   *
   * @returns its length; undefined if there is none or it is too long
   */
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
