/** gss_inquire_sec_context_by_oid (gssapi_ext.h): queries a context for data that RFC 2744 does not cover. */
import type { Frame } from './frame.ts';
import { GSS_S_COMPLETE } from './gss-status.ts';
import type { GssapiLibrary, NativeMemory } from './library.ts';

/** A gss_OID_desc in native memory, followed by the bytes of its OID. It is made once for each library. */
export class InquiryOid {
  readonly #content: Buffer;
  readonly #memory = new WeakMap<GssapiLibrary, NativeMemory>();

  /** @param content content bytes of the OBJECT IDENTIFIER in DER, in hexadecimal */
  constructor(content: string) {
    this.#content = Buffer.from(content, 'hex');
  }

  address(library: GssapiLibrary): bigint {
    let memory = this.#memory.get(library);
    if (memory === undefined) {
      memory = library.allocate(16 + this.#content.byteLength);
      memory.bytes.writeUInt32LE(this.#content.byteLength, 0);
      memory.bytes.writeBigUInt64LE(memory.address + 16n, library.layout.oidElements);
      memory.bytes.set(this.#content, 16);
      this.#memory.set(library, memory);
    }
    return memory.address;
  }
}

/**
 * Queries a context.
 *
 * @param handle gss_ctx_id_t of an established context
 * @returns copies of the buffers of the answer; an empty list if the call fails
 */
export function inquire(frame: Frame, handle: bigint, oid: InquiryOid): readonly Buffer[] {
  return inquireAt(frame, handle, oid.address(frame.library));
}

/** The same as `inquire`. @param oid address of a gss_OID_desc */
export function inquireAt(frame: Frame, handle: bigint, oid: bigint): readonly Buffer[] {
  const { library } = frame;
  frame.pointerValue = 0n;
  const major = library.gss.inquireSecContextByOid(frame.minor, handle, oid, frame.pointer);
  const set = frame.pointerValue;
  if (set === 0n) return [];
  try {
    if (major !== GSS_S_COMPLETE) return [];
    // gss_buffer_set_desc { size_t count; gss_buffer_desc *elements }.
    const header = library.copy(set, 16);
    const count = Number(header.readBigUInt64LE(0));
    if (count === 0) return [];
    const elements = library.copy(header.readBigUInt64LE(8), 16 * count);
    return Array.from({ length: count }, (_, index) => {
      const address = elements.readBigUInt64LE(16 * index + 8);
      const length = Number(elements.readBigUInt64LE(16 * index));
      const bytes = library.copy(address, length);
      // Heimdal frees its copy as it is, and it may be a key.
      library.wipe(address, length);
      return bytes;
    });
  } finally {
    library.gss.releaseBufferSet(frame.minor, frame.pointer);
  }
}
