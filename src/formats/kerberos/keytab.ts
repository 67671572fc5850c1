/** The keytab file format of MIT krb5 ("keytab file format"), version 2. All numbers are big-endian. */
import { isUtf8 } from 'node:buffer';
import { MalformedTokenError } from '../../foundation/errors.ts';
import { encryptionTypeName } from './kerberos-token.ts';
import { escapeComponent } from './principal.ts';
import { Reader } from '../reader.ts';

/** One key of a keytab, without the key. */
export interface KeytabEntry {
  /** `HTTP/web.example.com`, escaped as decodeApRequest does. */
  readonly name: string;
  readonly realm: string;
  readonly keyVersion: number;
  readonly encryptionType: number;
}

/** One key of a keytab, with the key. */
export interface KeytabKey extends KeytabEntry {
  /** When the key was written, in seconds since 1970-01-01 UTC. */
  readonly timestamp: number;
  /** A view of the file's bytes, not a copy. A secret. */
  readonly value: Uint8Array;
}

/**
 * Lists the keys of a keytab file, without the keys.
 *
 * @throws MalformedTokenError if it is not a keytab of version 2, or an entry reaches past the end of the file
 */
export function decodeKeytab(bytes: Uint8Array): readonly KeytabEntry[] {
  return decodeKeytabKeys(bytes).map(({ name, realm, keyVersion, encryptionType }) => ({
    name,
    realm,
    keyVersion,
    encryptionType,
  }));
}

/**
 * Reads the keys of a keytab file.
 *
 * @throws MalformedTokenError if it is not a keytab of version 2, or an entry reaches past the end of the file
 */
export function decodeKeytabKeys(bytes: Uint8Array): readonly KeytabKey[] {
  const reader = new Reader(bytes);
  const version = reader.u16be('file format version');
  if (version !== 0x0502)
    throw new MalformedTokenError('file format version', `0x${version.toString(16)} is not 0x502`);
  const entries: KeytabKey[] = [];
  while (reader.remaining > 0) {
    // A negative size is a hole that a deleted entry left; zero ends the list.
    const size = reader.u32be('entry size') | 0;
    if (size === 0) break;
    if (size < 0) reader.skip(Math.min(-size, reader.remaining), 'hole');
    else entries.push(entry(reader.sub(size, 'entry')));
  }
  return entries;
}

function entry(reader: Reader): KeytabKey {
  const componentCount = reader.u16be('component count');
  const realm = counted(reader, 'realm');
  const components: string[] = [];
  for (let index = 0; index < componentCount; index++) components.push(counted(reader, 'component', escapeComponent));
  reader.skip(4, 'name type');
  const timestamp = reader.u32be('timestamp');
  const shortVersion = reader.u8('key version');
  const encryptionType = reader.u16be('encryption type');
  const value = reader.take(reader.u16be('key length'), 'key');
  // The 32-bit version is used if the entry has one and it is not zero.
  const longVersion = reader.remaining >= 4 ? reader.u32be('key version') : 0;
  return {
    name: components.join('/'),
    realm,
    keyVersion: longVersion === 0 ? shortVersion : longVersion,
    encryptionType,
    timestamp,
    value,
  };
}

function counted(reader: Reader, field: string, escape = (text: string) => text): string {
  const bytes = reader.take(reader.u16be(`${field} length`), field);
  const { buffer, byteOffset, byteLength } = bytes;
  const text = Buffer.from(buffer, byteOffset, byteLength);
  if (isUtf8(text)) return escape(text.toString('utf8'));
  // For people only: no service has such a name. Each byte is shown, so that different names look different.
  const escaped = (byte: string): string => `\\x${byte.charCodeAt(0).toString(16)}`;
  return escape(text.toString('latin1')).replace(/[\x80-\xff]/g, escaped);
}

/** Describes keys for people: `HTTP/web@R kvno 3 (aes256-…), …`. Lists at most 24. */
export function describeKeytabEntries(entries: readonly KeytabEntry[]): string {
  if (entries.length === 0) return 'no keys';
  return entries
    .map((e) => `${e.name}@${e.realm} kvno ${e.keyVersion} (${encryptionTypeName(e.encryptionType)})`)
    .slice(0, 24)
    .join(', ');
}
