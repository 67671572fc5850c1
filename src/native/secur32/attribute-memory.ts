/** The structure that QueryContextAttributesW fills. */
import type { ContextAttribute, ContextAttributeValues, SecurityPackageInfo } from '../../sspi/attributes.ts';
import { koffi } from '../koffi.ts';
import { layouts } from './declarations.ts';
import type { Secur32Library } from './library.ts';
import { nativeBytes, readPointer, withContextBuffer } from './native-handles.ts';
import { dateOfTimeStamp } from './time-stamp.ts';

/** How the structure of each attribute is read. Undefined: it has no value although the library said that it has. */
export type AttributeReaders = {
  readonly [A in ContextAttribute]?: (memory: AttributeMemory) => ContextAttributeValues[A] | undefined;
};

/** Memory for the structure of an attribute, in bytes: more than any of them needs. */
const ATTRIBUTE_BYTES = 1024;

/** Queries one attribute and reads the structure that the library filled. */
export class AttributeMemory {
  readonly library: Secur32Library;
  readonly memory = Buffer.alloc(ATTRIBUTE_BYTES);
  readonly status: number;

  constructor(library: Secur32Library, context: bigint, attribute: number) {
    this.library = library;
    const { QueryContextAttributesW } = library.security;
    this.status = QueryContextAttributesW(context, attribute, koffi().address(this.memory)) >>> 0;
  }

  u32(offset: number): number {
    return this.memory.readUInt32LE(offset);
  }

  /** The text that the pointer at `offset` points to. The library frees it. Empty if the pointer is null. */
  text(offset: number): string {
    return this.dereference(offset, (address) => koffi().decode.string16(address)) ?? '';
  }

  bytes(offset: number, length: number): Uint8Array {
    return this.dereference(offset, (address) => nativeBytes(address, length)) ?? new Uint8Array(0);
  }

  packageInfo(offset: number): SecurityPackageInfo | undefined {
    return this.dereference(offset, readPackageInfo);
  }

  date(offset: number): Date | undefined {
    return dateOfTimeStamp(this.memory.readBigInt64LE(offset), this.library.token);
  }

  /** Reads what the pointer at `offset` points to. The library frees it. Undefined if the pointer is null. */
  dereference<T>(offset: number, read: (address: bigint) => T): T | undefined {
    const address = readPointer(this.memory, offset);
    return address === 0n ? undefined : withContextBuffer(this.library, address, read);
  }
}

/**
 * Decodes a SecPkgInfoW.
 *
 * @param address address of the structure
 */
export function readPackageInfo(address: bigint): SecurityPackageInfo {
  const { size, offsets } = layouts.SecPkgInfoW;
  const memory = Buffer.from(koffi().decode(address, 'uint8', size) as Uint8Array);
  const text = (offset: number): string => {
    const pointer = readPointer(memory, offset);
    return pointer === 0n ? '' : koffi().decode.string16(pointer);
  };
  return Object.freeze({
    name: text(offsets.Name),
    comment: text(offsets.Comment),
    capabilities: memory.readUInt32LE(offsets.fCapabilities),
    version: memory.readUInt16LE(offsets.wVersion),
    rpcId: memory.readUInt16LE(offsets.wRPCID),
    maxToken: memory.readUInt32LE(offsets.cbMaxToken),
  });
}
