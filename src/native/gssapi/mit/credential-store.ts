/** Credential stores of MIT krb5: gss_acquire_cred_from and gss_store_cred_into (gssapi_ext.h). */
import type { Frame } from '../call/frame.ts';
import { callFailure, GSS_S_COMPLETE } from '../call/gss-status.ts';
import type { GssapiLibrary } from '../call/library.ts';

const GSS_C_INITIATE = 1;
const GSS_C_ACCEPT = 2;
const GSS_C_INDEFINITE = 0xffffffff;

/**
 * Makes a gss_key_value_set_desc (gssapi_ext.h).
 *
 * @returns the structure, then the buffers that it points to. All must stay referenced during the call
 */
function keyValueSet(library: GssapiLibrary, store: Readonly<Record<string, string>>): readonly Buffer[] {
  const entries = Object.entries(store);
  const elements = Buffer.alloc(16 * entries.length);
  const texts = entries.flatMap(([key, value], index) => {
    const pair = [Buffer.from(`${key}\0`), Buffer.from(`${value}\0`)] as const;
    elements.writeBigUInt64LE(library.addressOf(pair[0]), 16 * index);
    elements.writeBigUInt64LE(library.addressOf(pair[1]), 16 * index + 8);
    return pair;
  });
  const set = Buffer.alloc(16);
  set.writeUInt32LE(entries.length, 0);
  set.writeBigUInt64LE(library.addressOf(elements), 8);
  return [set, elements, ...texts];
}

/**
 * Acquires an acceptor credential from a credential store.
 *
 * @param store the credential store, such as `{ keytab: 'MEMORY:x', rcache: 'dfl:' }`
 * @param encryptionTypes encryption types that are accepted for tickets, session keys and subkeys
 * @returns gss_cred_id_t
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` if the library refuses
 */
export function acquireFrom(
  frame: Frame,
  store: Readonly<Record<string, string>>,
  encryptionTypes: ReadonlySet<number>,
): bigint {
  const { library } = frame;
  const buffers = keyValueSet(library, store);
  const [set] = buffers;
  if (set === undefined) throw new Error('empty credential store');
  frame.clear();
  const { acquireCredFrom, releaseCred } = library.gss;
  const at = library.addressOf(set);
  const major = acquireCredFrom(frame.minor, null, GSS_C_INDEFINITE, null, GSS_C_ACCEPT, at, frame.pointer, null, null);
  if (major !== GSS_S_COMPLETE) throw callFailure(frame, 'gss_acquire_cred_from', major);
  // `buffers` is used after the call, so that nothing that the set points to is collected before.
  const handle = buffers.length > 0 ? frame.pointerValue : 0n;
  try {
    setEncryptionTypes(frame, handle, [...encryptionTypes]);
  } catch (error) {
    frame.pointerValue = handle;
    releaseCred(frame.minor, frame.pointer);
    throw error;
  }
  return handle;
}

function setEncryptionTypes(frame: Frame, handle: bigint, encryptionTypes: readonly number[]): void {
  const { library } = frame;
  const list = Buffer.alloc(4 * encryptionTypes.length);
  for (const [index, type] of encryptionTypes.entries()) list.writeInt32LE(type, 4 * index);
  const at = library.addressOf(list);
  const major = library.gss.setAllowableEnctypes(frame.minor, handle, list.byteLength / 4, at);
  if (major !== GSS_S_COMPLETE) throw callFailure(frame, 'gss_krb5_set_allowable_enctypes', major);
}

/** Stores an initiator credential in a credential store. @returns whether that succeeded */
export function storeInto(frame: Frame, credential: bigint, store: Readonly<Record<string, string>>): boolean {
  const buffers = keyValueSet(frame.library, store);
  const [set] = buffers;
  if (set === undefined) return false;
  const { storeCredInto } = frame.library.gss;
  const at = frame.library.addressOf(set);
  const major = storeCredInto(frame.minor, credential, GSS_C_INITIATE, null, 1, 0, at, null, null);
  return major === GSS_S_COMPLETE && buffers.length > 0;
}
