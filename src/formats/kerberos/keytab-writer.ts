/** Writes keytab files of version 2, as MIT krb5, Heimdal, Samba and this library read them. */

/** A key to write. */
export interface KeytabSource {
  /** Components of the principal, such as `['HTTP', 'web.example.com']`, not escaped. */
  readonly components: readonly string[];
  readonly realm: string;
  /** The kvno, unsigned 32 bits. 0 where it is not known: acceptors that try every key take it for any. */
  readonly keyVersion: number;
  readonly encryptionType: number;
  readonly value: Uint8Array;
}

/** KRB5_NT_PRINCIPAL and KRB5_NT_SRV_HST, RFC 4120 section 6.2. Readers compare the names alone. */
const NT_PRINCIPAL = 1;
const NT_SRV_HST = 3;

/**
 * Encodes a keytab.
 *
 * @param timestamp of every entry, in seconds since 1970-01-01 UTC
 * @returns the caller wipes it
 */
export function encodeKeytab(entries: readonly KeytabSource[], timestamp: number): Buffer {
  return Buffer.concat([Buffer.from([5, 2]), ...entries.map((entry) => encodeEntry(entry, timestamp))]);
}

function encodeEntry(source: KeytabSource, timestamp: number): Buffer {
  const { components, realm, keyVersion, encryptionType, value } = source;
  const numbers = Buffer.alloc(11);
  numbers.writeUInt32BE(components.length > 1 ? NT_SRV_HST : NT_PRINCIPAL, 0);
  numbers.writeUInt32BE(timestamp >>> 0, 4);
  // The old field has 8 bits; the whole number follows the key.
  numbers.writeUInt8(keyVersion & 0xff, 8);
  numbers.writeUInt16BE(encryptionType, 9);
  const body = Buffer.concat([
    u16(components.length),
    counted(realm),
    ...components.map(counted),
    numbers,
    u16(value.byteLength),
    value,
    u32(keyVersion),
  ]);
  return Buffer.concat([u32(body.byteLength), body]);
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([u16(bytes.byteLength), bytes]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
