/** The session key of an established context: GSS_C_INQ_SSPI_SESSION_KEY (gssapi_krb5.h of MIT krb5). */
import type { Frame } from './frame.ts';
import { GSS_S_COMPLETE } from './gss-status.ts';
import type { GssapiLibrary, NativeMemory } from './library.ts';

/** 1.2.840.113554.1.2.2.5.5, content bytes. */
const INQ_SSPI_SESSION_KEY = Buffer.from('2a864886f712010202' + '0505', 'hex');

/** A key that belongs to a context. */
export interface SessionKey {
  /** A copy. */
  readonly value: Buffer;
  /** Encryption type; undefined where the library does not say. */
  readonly encryptionType: number | undefined;
}

const oids = new WeakMap<GssapiLibrary, NativeMemory>();

/** gss_OID_desc of INQ_SSPI_SESSION_KEY with its content behind it. */
function sessionKeyOid(library: GssapiLibrary): bigint {
  let memory = oids.get(library);
  if (memory === undefined) {
    memory = library.allocate(16 + INQ_SSPI_SESSION_KEY.byteLength);
    memory.bytes.writeUInt32LE(INQ_SSPI_SESSION_KEY.byteLength, 0);
    memory.bytes.writeBigUInt64LE(memory.address + 16n, library.layout.oidElementsOffset);
    memory.bytes.set(INQ_SSPI_SESSION_KEY, 16);
    oids.set(library, memory);
  }
  return memory.address;
}

/**
 * Asks for the session key: the subkey that protects messages.
 *
 * @param handle gss_ctx_id_t of an established context
 */
export function sessionKey(frame: Frame, handle: bigint): SessionKey | undefined {
  const { library } = frame;
  frame.clear();
  const major = library.gss.inquireSecContextByOid(frame.minor, handle, sessionKeyOid(library), frame.pointer);
  const set = frame.pointerValue;
  if (major !== GSS_S_COMPLETE || set === 0n) return undefined;
  try {
    // gss_buffer_set_desc { size_t count; gss_buffer_desc *elements }: the key, then an OID whose last arc is its type.
    const header = library.copy(set, 16);
    const count = Number(header.readBigUInt64LE(0));
    if (count < 1) return undefined;
    const elements = library.copy(header.readBigUInt64LE(8), 16 * count);
    const element = (index: number): Buffer =>
      library.copy(elements.readBigUInt64LE(16 * index + 8), Number(elements.readBigUInt64LE(16 * index)));
    const oid = count > 1 ? element(1) : undefined;
    return { value: element(0), encryptionType: oid?.at(-1) };
  } finally {
    library.gss.releaseBufferSet(frame.minor, frame.pointer);
  }
}
