/**
 * The memory of one native call. One block holds the descriptors, the SecBuffers with their data, the handle, the
 * attributes and the expiry. A call then only passes addresses, and koffi marshals nothing.
 *
 * Blocks are reused. They are wiped when their call ends, so a later call cannot read an earlier token.
 */
import { koffi } from '../koffi.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import { SECBUFFER_TYPE_MASK, SECBUFFER_VERSION } from '../../sspi/buffers.ts';
import { layouts } from './declarations.ts';
import { readPointer, writePointer } from './native-handles.ts';

/** The input descriptor (0) or the output descriptor (1) of a call. */
export type DescriptorSlot = 0 | 1;

/** An empty buffer of `size` bytes that the library fills. */
export interface OutputBuffer {
  readonly type: number;
  readonly size: number;
}

const MAX_BUFFERS = 16;
const ALIGNMENT = 16;
const align = (offset: number, to = ALIGNMENT): number => Math.ceil(offset / to) * to;

const DESCRIPTORS = 0;
const HANDLE = align(DESCRIPTORS + 2 * layouts.SecBufferDesc.size);
const ATTRIBUTES = align(HANDLE + layouts.SecHandle.size);
const EXPIRY = ATTRIBUTES + ALIGNMENT;
const BUFFERS = EXPIRY + ALIGNMENT;
const DATA = align(BUFFERS + 2 * MAX_BUFFERS * layouts.SecBuffer.size);

/** Size of a block without the data of its buffers, in bytes. */
export const CALL_OVERHEAD_BYTES = DATA + 2 * MAX_BUFFERS * ALIGNMENT;

/** The block of one call. */
export class CallMemory {
  /** Address for phNewContext or phCredential. */
  readonly handleAddress: bigint;
  /** The bytes at `handleAddress`, not a copy. */
  readonly handle: Buffer;
  /** Address for pfContextAttr or pfQOP, 32 bits. */
  readonly attributesAddress: bigint;
  /** Address for ptsExpiry. */
  readonly expiryAddress: bigint;
  readonly #memory: Buffer;
  readonly #address: bigint;
  #next = DATA;
  readonly #data: [Region[], Region[]] = [[], []];

  /** @param size size of the block in bytes */
  constructor(size: number) {
    this.#memory = Buffer.alloc(size);
    this.#address = koffi().address(this.#memory);
    this.handleAddress = this.#address + BigInt(HANDLE);
    this.attributesAddress = this.#address + BigInt(ATTRIBUTES);
    this.expiryAddress = this.#address + BigInt(EXPIRY);
    this.handle = this.#memory.subarray(HANDLE, HANDLE + layouts.SecHandle.size);
  }

  get size(): number {
    return this.#memory.byteLength;
  }

  get attributes(): number {
    return this.#memory.readUInt32LE(ATTRIBUTES);
  }

  /** The TimeStamp at `expiryAddress`: units of 100 ns since 1601-01-01, local time. */
  get expiry(): bigint {
    return this.#memory.readBigInt64LE(EXPIRY);
  }

  /**
   * Writes a SecBufferDesc and its buffers into the block. The data of the buffers is copied.
   *
   * @param alignment of each buffer in bytes; 1 puts them one behind the other
   * @returns the address of the descriptor
   * @throws RangeError if there are more than 16 buffers, or more bytes than fit into the block
   */
  describe(slot: DescriptorSlot, buffers: readonly (SecBuffer | OutputBuffer)[], alignment = ALIGNMENT): bigint {
    if (buffers.length > MAX_BUFFERS) throw new RangeError(`${buffers.length} buffers; at most ${MAX_BUFFERS} fit`);
    const { size: descriptorSize, offsets: descriptor } = layouts.SecBufferDesc;
    const { size: bufferSize, offsets: field } = layouts.SecBuffer;
    const memory = this.#memory;
    const regions = this.#data[slot];
    regions.length = 0;
    const at = DESCRIPTORS + slot * descriptorSize;
    const array = BUFFERS + slot * MAX_BUFFERS * bufferSize;
    memory.writeUInt32LE(SECBUFFER_VERSION, at + descriptor.ulVersion);
    memory.writeUInt32LE(buffers.length, at + descriptor.cBuffers);
    writePointer(memory, this.#address + BigInt(array), at + descriptor.pBuffers);
    buffers.forEach((buffer, index) => {
      const size = 'data' in buffer ? buffer.data.byteLength : buffer.size;
      const start = this.#next;
      if (size > memory.byteLength - start) throw new RangeError(`${size} bytes do not fit into this call`);
      if ('data' in buffer) memory.set(buffer.data, start);
      this.#next = align(start + size, alignment);
      regions.push({ start, size });
      const entry = array + index * bufferSize;
      memory.writeUInt32LE(size, entry + field.cbBuffer);
      memory.writeUInt32LE(buffer.type >>> 0, entry + field.BufferType);
      writePointer(memory, this.#address + BigInt(start), entry + field.pvBuffer);
    });
    this.#next = align(this.#next);
    return this.#address + BigInt(at);
  }

  /** Type and size of a buffer after the call, whatever it points to: SECBUFFER_MISSING and SECBUFFER_EXTRA are counts. */
  header(slot: DescriptorSlot, index: number): OutputBuffer {
    const { size, offsets } = layouts.SecBuffer;
    const entry = BUFFERS + (slot * MAX_BUFFERS + index) * size;
    const type = this.#memory.readUInt32LE(entry + offsets.BufferType) & SECBUFFER_TYPE_MASK;
    return { type, size: this.#memory.readUInt32LE(entry + offsets.cbBuffer) };
  }

  /** A copy of a part of what the first buffer of a descriptor was given, wherever the library lets it point now. */
  input(slot: DescriptorSlot, from: number, length: number): Uint8Array {
    const start = (this.#data[slot][0]?.start ?? 0) + from;
    return Uint8Array.prototype.slice.call(this.#memory, start, start + length);
  }

  /**
   * Reads a buffer after the call. Its bytes are copied.
   *
   * @returns undefined if the size or the pointer that the library wrote leads outside of the buffers of this call.
   *   Then no result of the call can be trusted
   */
  read(slot: DescriptorSlot, index: number): SecBuffer | undefined {
    const regions = this.#data[slot];
    if (index >= regions.length) return undefined;
    const { size: bufferSize, offsets: field } = layouts.SecBuffer;
    const entry = BUFFERS + (slot * MAX_BUFFERS + index) * bufferSize;
    const size = this.#memory.readUInt32LE(entry + field.cbBuffer);
    const type = this.#memory.readUInt32LE(entry + field.BufferType);
    if (size === 0) return { type, data: new Uint8Array(0) };
    const start = Number(readPointer(this.#memory, entry + field.pvBuffer) - this.#address);
    // DecryptMessage points its DATA buffer into the STREAM buffer. So the data may be in any region of the descriptor.
    const inside = regions.some((region) => start >= region.start && start + size <= region.start + region.size);
    if (!inside) return undefined;
    return { type, data: Uint8Array.prototype.slice.call(this.#memory, start, start + size) };
  }

  /** Overwrites with zeros what the call used. */
  wipe(): void {
    this.#memory.fill(0, 0, this.#next);
    this.#next = DATA;
    this.#data[0].length = 0;
    this.#data[1].length = 0;
  }
}

interface Region {
  readonly start: number;
  readonly size: number;
}

const MAX_SPARE_BLOCKS = 16;
const MAX_SPARE_BLOCK_BYTES = 256 * 1024;
const spareBlocks: CallMemory[] = [];

/**
 * Takes a block for one call. Give it back with giveBackCallMemory.
 *
 * @param dataBytes size of all its buffers in bytes, with the empty ones
 */
export function takeCallMemory(dataBytes: number): CallMemory {
  const size = CALL_OVERHEAD_BYTES + dataBytes;
  const fitting = spareBlocks.findIndex((memory) => memory.size >= size);
  const [memory] = fitting < 0 ? [] : spareBlocks.splice(fitting, 1);
  return memory ?? new CallMemory(Math.ceil(size / 4096) * 4096);
}

/** Wipes a block and keeps it for a later call. */
export function giveBackCallMemory(memory: CallMemory): void {
  memory.wipe();
  if (spareBlocks.length < MAX_SPARE_BLOCKS && memory.size <= MAX_SPARE_BLOCK_BYTES) spareBlocks.push(memory);
}
