/**
 * Reads the keytab file format of MIT krb5 ("keytab file format", version 2), to tell an operator which keys a keytab
 * has. The key bytes are skipped and never leave the file's buffer.
 */
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

/**
 * Lists the keys of a keytab file. All numbers are big-endian.
 *
 * @throws MalformedTokenError if it is not a keytab of version 2, or an entry reaches past the end of the file
 */
export function decodeKeytab(bytes: Uint8Array): readonly KeytabEntry[] {
  const reader = new Reader(bytes);
  const version = reader.u16be('file format version');
  if (version !== 0x0502)
    throw new MalformedTokenError('file format version', `0x${version.toString(16)} is not 0x502`);
  const entries: KeytabEntry[] = [];
  while (reader.remaining > 0) {
    // A negative size is a hole that a deleted entry left; zero ends the list.
    const size = reader.u32be('entry size') | 0;
    if (size === 0) break;
    if (size < 0) reader.skip(Math.min(-size, reader.remaining), 'hole');
    else entries.push(entry(reader.sub(size, 'entry')));
  }
  return entries;
}

function entry(reader: Reader): KeytabEntry {
  const componentCount = reader.u16be('component count');
  const realm = counted(reader, 'realm');
  const components: string[] = [];
  for (let index = 0; index < componentCount; index++) components.push(counted(reader, 'component', escapeComponent));
  reader.skip(4, 'name type');
  reader.skip(4, 'timestamp');
  const shortVersion = reader.u8('key version');
  const encryptionType = reader.u16be('encryption type');
  reader.skip(reader.u16be('key length'), 'key');
  // The 32-bit version is used if the entry has one and it is not zero.
  const longVersion = reader.remaining >= 4 ? reader.u32be('key version') : 0;
  return {
    name: components.join('/'),
    realm,
    keyVersion: longVersion === 0 ? shortVersion : longVersion,
    encryptionType,
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

/** How many keys are described. */
const MAX_DESCRIBED = 5;

/** Describes keys for people: `HTTP/web@R kvno 3 (aes256-…), …`. At most five, and how many more there are. */
export function describeKeytabEntries(entries: readonly KeytabEntry[]): string {
  if (entries.length === 0) return 'no keys';
  const described = entries
    .slice(0, MAX_DESCRIBED)
    .map((e) => `${e.name}@${e.realm} kvno ${e.keyVersion} (${encryptionTypeName(e.encryptionType)})`)
    .join(', ');
  const rest = entries.length - MAX_DESCRIBED;
  return rest > 0 ? `${described} and ${rest} more` : described;
}
