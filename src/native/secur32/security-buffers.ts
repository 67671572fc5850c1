/**
 * The memory of one call: descriptors, SecBuffers, handle, attributes, expiry and the bytes themselves in one block, so
 * that a call passes a few addresses and nothing is marshalled.
 *
 * Blocks are used again. What a call put into one is wiped when it ends, so a token can never be read by a later call.
 */
import { koffi } from '../koffi.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import { SECBUFFER_VERSION } from '../../sspi/buffers.ts';
import { layouts } from './declarations.ts';
import { readPointer, writePointer } from './native-handles.ts';

/** Input and output descriptors of one call. */
export type DescriptorSlot = 0 | 1;

/** A buffer for the library to fill: `size` bytes of room. */
export interface RoomBuffer {
  readonly type: number;
  readonly size: number;
}

const MOST_BUFFERS = 16;
const ALIGNMENT = 16;
const align = (offset: number): number => Math.ceil(offset / ALIGNMENT) * ALIGNMENT;

const DESCRIPTORS = 0;
const HANDLE = align(DESCRIPTORS + 2 * layouts.SecBufferDesc.size);
const ATTRIBUTES = align(HANDLE + layouts.SecHandle.size);
const EXPIRY = ATTRIBUTES + ALIGNMENT;
const BUFFERS = EXPIRY + ALIGNMENT;
const DATA = align(BUFFERS + 2 * MOST_BUFFERS * layouts.SecBuffer.size);

/** Bytes a block needs besides the data of its buffers. */
export const CALL_OVERHEAD_BYTES = DATA + 2 * MOST_BUFFERS * ALIGNMENT;

/** The block of one call. */
export class CallMemory {
  /** phNewContext, phCredential. */
  readonly handleAddress: bigint;
  /** What lies there; not a copy. */
  readonly handle: Buffer;
  /** pfContextAttr, pfQOP: 32 bits. */
  readonly attributesAddress: bigint;
  /** ptsExpiry. */
  readonly expiryAddress: bigint;
  readonly #memory: Buffer;
  readonly #address: bigint;
  #next = DATA;
  readonly #data: [Region[], Region[]] = [[], []];

  /** @param size of the block in bytes */
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

  /** 100 ns since 1601, local time. */
  get expiry(): bigint {
    return this.#memory.readBigInt64LE(EXPIRY);
  }

  /**
   * Lays a SecBufferDesc with its buffers into the block; bytes are copied, room is left empty.
   *
   * @returns the address of the descriptor
   * @throws RangeError for more buffers than any function of SSPI takes, or more bytes than the block has
   */
  describe(slot: DescriptorSlot, buffers: readonly (SecBuffer | RoomBuffer)[]): bigint {
    if (buffers.length > MOST_BUFFERS) throw new RangeError(`${buffers.length} buffers; SSPI takes ${MOST_BUFFERS}`);
    const { size: descriptorSize, offsets: descriptor } = layouts.SecBufferDesc;
    const { size: bufferSize, offsets: field } = layouts.SecBuffer;
    const memory = this.#memory;
    const regions = this.#data[slot];
    regions.length = 0;
    const at = DESCRIPTORS + slot * descriptorSize;
    const array = BUFFERS + slot * MOST_BUFFERS * bufferSize;
    memory.writeUInt32LE(SECBUFFER_VERSION, at + descriptor.ulVersion);
    memory.writeUInt32LE(buffers.length, at + descriptor.cBuffers);
    writePointer(memory, this.#address + BigInt(array), at + descriptor.pBuffers);
    buffers.forEach((buffer, index) => {
      const size = 'data' in buffer ? buffer.data.byteLength : buffer.size;
      const start = this.#next;
      if (size > memory.byteLength - start) throw new RangeError(`${size} bytes do not fit into this call`);
      if ('data' in buffer) memory.set(buffer.data, start);
      this.#next = align(start + size);
      regions.push({ start, size });
      const entry = array + index * bufferSize;
      memory.writeUInt32LE(size, entry + field.cbBuffer);
      memory.writeUInt32LE(buffer.type >>> 0, entry + field.BufferType);
      writePointer(memory, this.#address + BigInt(start), entry + field.pvBuffer);
    });
    return this.#address + BigInt(at);
  }

  /**
   * A buffer as the call left it, its bytes copied.
   *
   * @returns undefined where the library says it wrote more than there was room for, or points outside the buffers:
   *   nothing of such a call is to be believed
   */
  read(slot: DescriptorSlot, index: number): SecBuffer | undefined {
    const regions = this.#data[slot];
    if (index >= regions.length) return undefined;
    const { size: bufferSize, offsets: field } = layouts.SecBuffer;
    const entry = BUFFERS + (slot * MOST_BUFFERS + index) * bufferSize;
    const size = this.#memory.readUInt32LE(entry + field.cbBuffer);
    const type = this.#memory.readUInt32LE(entry + field.BufferType);
    if (size === 0) return { type, data: new Uint8Array(0) };
    const start = Number(readPointer(this.#memory, entry + field.pvBuffer) - this.#address);
    // DecryptMessage points its DATA buffer into the STREAM buffer, so any region of the descriptor will do.
    const inside = regions.some((region) => start >= region.start && start + size <= region.start + region.size);
    if (!inside) return undefined;
    return { type, data: Uint8Array.prototype.slice.call(this.#memory, start, start + size) };
  }

  /** Wipes what the call used. */
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

const MOST_SPARE = 16;
const MOST_SPARE_BYTES = 256 * 1024;
const spare: CallMemory[] = [];

/**
 * A block for one call.
 *
 * @param dataBytes bytes of all its buffers, room included
 */
export function takeCallMemory(dataBytes: number): CallMemory {
  const size = CALL_OVERHEAD_BYTES + dataBytes;
  const fitting = spare.findIndex((memory) => memory.size >= size);
  const [memory] = fitting < 0 ? [] : spare.splice(fitting, 1);
  return memory ?? new CallMemory(Math.ceil(size / 4096) * 4096);
}

/** Wipes a block and keeps it for a later call. */
export function giveBackCallMemory(memory: CallMemory): void {
  memory.wipe();
  if (spare.length < MOST_SPARE && memory.size <= MOST_SPARE_BYTES) spare.push(memory);
}
