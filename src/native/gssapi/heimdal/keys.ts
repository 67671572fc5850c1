/**
 * Keytab entries, keys and decryption with the libkrb5 of Heimdal. The structures are those of krb5.h and krb5_asn1.h.
 */
import type { KeytabKey } from '../call/extensions.ts';
import type { GssapiLibrary, NativeMemory } from '../call/library.ts';

/** Offset of `keyblock` in krb5_keytab_entry: after the principal and the key version. */
const ENTRY_KEY_OFFSET = 16;

/** Makes a krb5_keyblock { int keytype; { size_t length; void *data } keyvalue }. `key` must stay referenced. */
export function heimdalKeyblock(library: GssapiLibrary, encryptionType: number, key: Uint8Array): Buffer {
  const keyblock = Buffer.alloc(24);
  keyblock.writeInt32LE(encryptionType, 0);
  keyblock.writeBigUInt64LE(BigInt(key.byteLength), 8);
  keyblock.writeBigUInt64LE(library.addressOf(key), 16);
  return keyblock;
}

/** The principal of a keytab entry. */
export function heimdalKeytabPrincipal(
  { krb5, krb5Context, addressOf, text }: GssapiLibrary,
  { bytes }: NativeMemory,
): string | undefined {
  const slot = Buffer.alloc(8);
  // The principal is the first member of krb5_keytab_entry.
  if (krb5.unparseName(krb5Context, bytes.readBigUInt64LE(0), addressOf(slot)) !== 0) return undefined;
  const address = slot.readBigUInt64LE(0);
  const name = text(address);
  krb5.xfree(address);
  return name === undefined ? undefined : plainSpaces(name);
}

/** Converts a name of Heimdal's krb5_unparse_name to the form of MIT krb5, which has no `\` before a space. */
export function plainSpaces(name: string): string {
  return name.replace(/\\(.)/gs, (escaped, character: string) => (character === ' ' ? ' ' : escaped));
}

/** The key of a keytab entry. */
export function heimdalKeytabKey({ address, bytes }: NativeMemory): KeytabKey {
  return { encryptionType: bytes.readInt32LE(ENTRY_KEY_OFFSET), keyblock: address + BigInt(ENTRY_KEY_OFFSET) };
}

/** Calls krb5_decrypt. Undefined if the ciphertext cannot be decrypted with this key. */
export function heimdalDecrypt(
  library: GssapiLibrary,
  { encryptionType, keyblock }: KeytabKey,
  usage: number,
  cipher: Uint8Array,
): Buffer | undefined {
  const { krb5, krb5Context, addressOf } = library;
  const slot = Buffer.alloc(8);
  if (krb5.cryptoInit(krb5Context, keyblock, encryptionType, addressOf(slot)) !== 0) return undefined;
  const crypto = slot.readBigUInt64LE(0);
  // krb5_data { size_t length; void *data }, which the library fills.
  const result = Buffer.alloc(16);
  try {
    const code = krb5.decrypt(krb5Context, crypto, usage, addressOf(cipher), cipher.byteLength, addressOf(result));
    // `cipher` is used after the call, so that it is not collected before.
    if (code !== 0 || cipher.byteLength === 0) return undefined;
    const address = result.readBigUInt64LE(8);
    const length = Number(result.readBigUInt64LE(0));
    const plain = library.copy(address, length);
    // Heimdal frees what it decrypted as it is. A ticket has its session key, an Authenticator its subkey.
    library.wipe(address, length);
    krb5.dataFree(addressOf(result));
    return plain;
  } finally {
    krb5.cryptoDestroy(krb5Context, crypto);
  }
}
