/** Security identifiers, MS-DTYP section 2.4.2: bytes to the form `S-1-…` and what can be read from that form. */
import type { Reader } from './reader.ts';
import { MalformedTokenError } from '../errors.ts';

const MOST_SUB_AUTHORITIES = 15;

/**
 * Reads a SID (MS-DTYP section 2.4.2.2): Revision, SubAuthorityCount, six bytes IdentifierAuthority big-endian, and the
 * sub-authorities little-endian.
 *
 * @param field name for the error
 * @returns in the form of MS-DTYP section 2.4.2.1
 * @throws MalformedTokenError where the bytes are no SID of revision 1
 */
export function readSid(reader: Reader, field: string): string {
  const at = reader.offset;
  const revision = reader.u8(`${field}.Revision`);
  const count = reader.u8(`${field}.SubAuthorityCount`);
  if (revision !== 1) throw new MalformedTokenError(`${field}.Revision`, `is ${revision}, not 1`, at);
  if (count > MOST_SUB_AUTHORITIES) {
    throw new MalformedTokenError(
      `${field}.SubAuthorityCount`,
      `is ${count}, more than ${MOST_SUB_AUTHORITIES}`,
      at + 1,
    );
  }
  const high = reader.u16be(`${field}.IdentifierAuthority`);
  const low = reader.u32be(`${field}.IdentifierAuthority`);
  const authority = high === 0 ? String(low) : `0x${(high * 2 ** 32 + low).toString(16).padStart(12, '0')}`;
  let sid = `S-1-${authority}`;
  for (let index = 0; index < count; index++) sid += `-${reader.u32le(`${field}.SubAuthority`)}`;
  return sid;
}
