/**
 * Mechanism-Independent Exported Name Object Format, RFC 2743 section 3.2. RFC 1964 section 2.1.3 has Kerberos names in
 * it.
 */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { DerReader } from '../der.ts';
import { Reader } from '../reader.ts';
import { decodeUtf8 } from '../utf8.ts';

/** TOK_ID. */
const EXPORTED_NAME = 0x0401;

/** A name as its mechanism writes it. */
export interface ExportedName {
  /** Dotted. */
  readonly mechanism: string;
  readonly name: string;
}

/**
 * Reads an exported name. All numbers are big-endian.
 *
 * @throws MalformedTokenError if it is not an exported name, or the name is not UTF-8
 */
export function decodeExportedName(bytes: Uint8Array): ExportedName {
  const reader = new Reader(bytes);
  const tokenId = reader.u16be('TOK_ID');
  if (tokenId !== EXPORTED_NAME) throw new MalformedTokenError('TOK_ID', `0x${tokenId.toString(16)} is not 0x401`, 0);
  const oid = new DerReader(reader.take(reader.u16be('MECH_OID_LEN'), 'MECH_OID'));
  const mechanism = oid.objectIdentifier('MECH_OID');
  oid.expectEnd('MECH_OID');
  const name = reader.take(reader.u32be('NAME_LEN'), 'NAME');
  reader.expectEnd('NAME');
  return { mechanism, name: decodeUtf8(name, 'NAME') };
}
