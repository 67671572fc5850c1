/** Security identifiers: MS-DTYP 2.4.2, their string form `S-1-…`, and the names of the well-known ones. */
import { MalformedTokenError } from '../foundation/errors.ts';
import type { Reader } from './reader.ts';

/** SID_MAX_SUB_AUTHORITIES, MS-DTYP 2.4.2.2. */
export const MAX_SUB_AUTHORITIES = 15;

/**
 * Reads a SID in its packet form (MS-DTYP 2.4.2.2): Revision, SubAuthorityCount, six bytes IdentifierAuthority
 * (big-endian), SubAuthorityCount little-endian 32-bit numbers.
 *
 * @param field name for error messages
 * @returns the string form of MS-DTYP 2.4.2.1, for which isSid is true
 * @throws MalformedTokenError for another revision, no sub-authority, which the string form does not have, more than 15,
 *   or too few bytes (attack D15)
 */
export function readSid(reader: Reader, field: string): string {
  const at = reader.offset;
  const revision = reader.u8(`${field}.Revision`);
  if (revision !== 1) throw new MalformedTokenError(`${field}.Revision`, `${revision} is not 1`, at);
  const count = reader.u8(`${field}.SubAuthorityCount`);
  if (count === 0) throw new MalformedTokenError(`${field}.SubAuthorityCount`, 'is 0', at + 1);
  if (count > MAX_SUB_AUTHORITIES) {
    throw new MalformedTokenError(`${field}.SubAuthorityCount`, `${count} is above ${MAX_SUB_AUTHORITIES}`, at + 1);
  }
  const high = reader.u16be(`${field}.IdentifierAuthority`);
  const low = reader.u32be(`${field}.IdentifierAuthority`);
  let text = high === 0 ? `S-1-${low}` : `S-1-0x${hexadecimal(high, 4)}${hexadecimal(low, 8)}`;
  for (let index = 0; index < count; index++) text += `-${reader.u32le(`${field}.SubAuthority`)}`;
  return text;
}

/** From 2^32 on the authority is written in hexadecimal, always with all twelve digits. */
function hexadecimal(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** IdentifierAuthority in group 1, the sub-authorities in group 2. No decimal number has a zero in front. */
const form = /^S-1-(0|[1-9]\d{0,9}|0x[\da-fA-F]{12})((?:-(?:0|[1-9]\d{0,9})){1,15})$/;

/** Whether a text is a security identifier as MS-DTYP 2.4.2.1 writes it: what readSid gives, and nothing else. */
export function isSid(text: string): boolean {
  const [, authority = '', subAuthorities = ''] = form.exec(text) ?? [];
  if (authority === '' || !subAuthorities.slice(1).split('-').every(isBelow32Bits)) return false;
  return isBelow32Bits(authority) !== authority.startsWith('0x');
}

function isBelow32Bits(number: string): boolean {
  return Number(number) <= 0xffffffff;
}

/** The SID of a relative identifier in a domain. */
export function sidInDomain(domainSid: string, rid: number): string {
  return `${domainSid}-${rid >>> 0}`;
}

/** Relative identifiers that mean the same in every domain, MS-DTYP 2.4.2.4. */
const domainRelative: ReadonlyMap<number, string> = new Map([
  [498, 'Enterprise Read-only Domain Controllers'],
  [500, 'Administrator'],
  [501, 'Guest'],
  [502, 'krbtgt'],
  [512, 'Domain Admins'],
  [513, 'Domain Users'],
  [514, 'Domain Guests'],
  [515, 'Domain Computers'],
  [516, 'Domain Controllers'],
  [517, 'Cert Publishers'],
  [518, 'Schema Admins'],
  [519, 'Enterprise Admins'],
  [520, 'Group Policy Creator Owners'],
  [521, 'Read-only Domain Controllers'],
  [522, 'Cloneable Domain Controllers'],
  [525, 'Protected Users'],
  [526, 'Key Admins'],
  [527, 'Enterprise Key Admins'],
  [553, 'RAS and IAS Servers'],
  [571, 'Allowed RODC Password Replication Group'],
  [572, 'Denied RODC Password Replication Group'],
]);

/** SIDs that are the same on every machine, MS-DTYP 2.4.2.4, with the name Windows shows in English. */
export const wellKnownSids: ReadonlyMap<string, string> = new Map([
  ['S-1-0-0', 'NULL SID'],
  ['S-1-1-0', 'Everyone'],
  ['S-1-2-0', 'LOCAL'],
  ['S-1-2-1', 'CONSOLE LOGON'],
  ['S-1-3-0', 'CREATOR OWNER'],
  ['S-1-3-1', 'CREATOR GROUP'],
  ['S-1-3-4', 'OWNER RIGHTS'],
  ['S-1-5-1', 'NT AUTHORITY\\DIALUP'],
  ['S-1-5-2', 'NT AUTHORITY\\NETWORK'],
  ['S-1-5-3', 'NT AUTHORITY\\BATCH'],
  ['S-1-5-4', 'NT AUTHORITY\\INTERACTIVE'],
  ['S-1-5-6', 'NT AUTHORITY\\SERVICE'],
  ['S-1-5-7', 'NT AUTHORITY\\ANONYMOUS LOGON'],
  ['S-1-5-8', 'NT AUTHORITY\\PROXY'],
  ['S-1-5-9', 'NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS'],
  ['S-1-5-10', 'NT AUTHORITY\\SELF'],
  ['S-1-5-11', 'NT AUTHORITY\\Authenticated Users'],
  ['S-1-5-12', 'NT AUTHORITY\\RESTRICTED'],
  ['S-1-5-13', 'NT AUTHORITY\\TERMINAL SERVER USER'],
  ['S-1-5-14', 'NT AUTHORITY\\REMOTE INTERACTIVE LOGON'],
  ['S-1-5-15', 'NT AUTHORITY\\This Organization'],
  ['S-1-5-17', 'NT AUTHORITY\\IUSR'],
  ['S-1-5-18', 'NT AUTHORITY\\SYSTEM'],
  ['S-1-5-19', 'NT AUTHORITY\\LOCAL SERVICE'],
  ['S-1-5-20', 'NT AUTHORITY\\NETWORK SERVICE'],
  ['S-1-5-21-0-0-0-496', 'Compounded Authentication'],
  ['S-1-5-21-0-0-0-497', 'Claims Valid'],
  ['S-1-5-32-544', 'BUILTIN\\Administrators'],
  ['S-1-5-32-545', 'BUILTIN\\Users'],
  ['S-1-5-32-546', 'BUILTIN\\Guests'],
  ['S-1-5-32-547', 'BUILTIN\\Power Users'],
  ['S-1-5-32-548', 'BUILTIN\\Account Operators'],
  ['S-1-5-32-549', 'BUILTIN\\Server Operators'],
  ['S-1-5-32-550', 'BUILTIN\\Print Operators'],
  ['S-1-5-32-551', 'BUILTIN\\Backup Operators'],
  ['S-1-5-32-552', 'BUILTIN\\Replicator'],
  ['S-1-5-32-554', 'BUILTIN\\Pre-Windows 2000 Compatible Access'],
  ['S-1-5-32-555', 'BUILTIN\\Remote Desktop Users'],
  ['S-1-5-32-556', 'BUILTIN\\Network Configuration Operators'],
  ['S-1-5-32-557', 'BUILTIN\\Incoming Forest Trust Builders'],
  ['S-1-5-32-558', 'BUILTIN\\Performance Monitor Users'],
  ['S-1-5-32-559', 'BUILTIN\\Performance Log Users'],
  ['S-1-5-32-560', 'BUILTIN\\Windows Authorization Access Group'],
  ['S-1-5-32-561', 'BUILTIN\\Terminal Server License Servers'],
  ['S-1-5-32-562', 'BUILTIN\\Distributed COM Users'],
  ['S-1-5-32-568', 'BUILTIN\\IIS_IUSRS'],
  ['S-1-5-32-569', 'BUILTIN\\Cryptographic Operators'],
  ['S-1-5-32-573', 'BUILTIN\\Event Log Readers'],
  ['S-1-5-32-574', 'BUILTIN\\Certificate Service DCOM Access'],
  ['S-1-5-32-575', 'BUILTIN\\RDS Remote Access Servers'],
  ['S-1-5-32-576', 'BUILTIN\\RDS Endpoint Servers'],
  ['S-1-5-32-577', 'BUILTIN\\RDS Management Servers'],
  ['S-1-5-32-578', 'BUILTIN\\Hyper-V Administrators'],
  ['S-1-5-32-579', 'BUILTIN\\Access Control Assistance Operators'],
  ['S-1-5-32-580', 'BUILTIN\\Remote Management Users'],
  ['S-1-5-33', 'NT AUTHORITY\\WRITE RESTRICTED'],
  ['S-1-5-64-10', 'NT AUTHORITY\\NTLM Authentication'],
  ['S-1-5-64-14', 'NT AUTHORITY\\SChannel Authentication'],
  ['S-1-5-64-21', 'NT AUTHORITY\\Digest Authentication'],
  ['S-1-5-65-1', 'NT AUTHORITY\\This Organization Certificate'],
  ['S-1-5-80-0', 'NT SERVICE\\ALL SERVICES'],
  ['S-1-5-113', 'NT AUTHORITY\\Local account'],
  ['S-1-5-114', 'NT AUTHORITY\\Local account and member of Administrators group'],
  ['S-1-5-1000', 'NT AUTHORITY\\Other Organization'],
  ['S-1-18-1', 'Authentication authority asserted identity'],
  ['S-1-18-2', 'Service asserted identity'],
  ['S-1-18-3', 'Fresh public key identity'],
  ['S-1-18-4', 'Key trust identity'],
  ['S-1-18-5', 'MFA key property'],
  ['S-1-18-6', 'Attested key property'],
]);

/**
 * The name of a SID, if it is known without a directory: a well-known SID, or a well-known relative identifier in the
 * given domain.
 *
 * @param domain SID and NetBIOS name of the domain
 * @returns undefined for every other SID
 */
export function wellKnownSidName(
  sid: string,
  domain?: { readonly sid: string; readonly name: string },
): string | undefined {
  const name = wellKnownSids.get(sid);
  if (name !== undefined || domain === undefined || domain.name === '' || !sid.startsWith(`${domain.sid}-`))
    return name;
  const rid = sid.slice(domain.sid.length + 1);
  const relative = /^\d+$/.test(rid) ? domainRelative.get(Number(rid)) : undefined;
  return relative === undefined ? undefined : `${domain.name}\\${relative}`;
}
