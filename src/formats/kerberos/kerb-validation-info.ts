/**
 * KERB_VALIDATION_INFO (MS-PAC 2.5): the account as the domain controller describes it. It is the PAC buffer of type 1,
 * and the attribute `urn:mspac:logon-info` of GSSAPI.
 */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { NdrReader } from './ndr.ts';
import type { NdrUnicodeString } from './ndr.ts';
import { readSid } from '../sid.ts';

/** GROUP_MEMBERSHIP, MS-PAC 2.2.2: a group of one domain. */
export interface GroupMembership {
  readonly relativeId: number;
  /** SE_GROUP_* bits. */
  readonly attributes: number;
}

/** KERB_SID_AND_ATTRIBUTES, MS-PAC 2.2.1: a group of any domain. */
export interface SidAndAttributes {
  readonly sid: string;
  /** SE_GROUP_* bits. */
  readonly attributes: number;
}

/** The fields of KERB_VALIDATION_INFO that say who the account is. */
export interface KerbValidationInfo {
  /** sAMAccountName. */
  readonly effectiveName: string;
  readonly fullName: string;
  /** NetBIOS name of the domain controller that logged the account on. */
  readonly logonServer: string;
  /** NetBIOS name of the account's domain. */
  readonly logonDomainName: string;
  /** SID of the account's domain. */
  readonly logonDomainId: string;
  readonly userId: number;
  readonly primaryGroupId: number;
  readonly groupIds: readonly GroupMembership[];
  /** MS-PAC 2.5, UserFlags. */
  readonly userFlags: number;
  readonly userAccountControl: number;
  readonly extraSids: readonly SidAndAttributes[];
  readonly resourceGroupDomainSid: string | undefined;
  readonly resourceGroupIds: readonly GroupMembership[];
  /** 100 ns since 1601-01-01; 0x7fffffffffffffff: never. */
  readonly logonTime: bigint;
  readonly kickOffTime: bigint;
}

/**
 * At most this many groups are read. Windows puts at most 1 015 groups into a token, and the header limit of HTTP is
 * reached earlier.
 */
export const MAX_SIDS = 4096;

/**
 * Reads KERB_VALIDATION_INFO.
 *
 * @param bytes the complete PAC buffer of type 1, with its headers
 * @throws MalformedTokenError if it is not such a buffer, or names more than 4 096 groups (attack D15)
 */
export function decodeKerbValidationInfo(bytes: Uint8Array): KerbValidationInfo {
  const ndr = NdrReader.typeSerialization1(bytes, 'KERB_VALIDATION_INFO');
  if (!ndr.pointer('KERB_VALIDATION_INFO')) throw new MalformedTokenError('KERB_VALIDATION_INFO', 'is a null pointer');
  const logonTime = ndr.filetime('LogonTime');
  ndr.filetime('LogoffTime');
  const kickOffTime = ndr.filetime('KickOffTime');
  ndr.filetime('PasswordLastSet');
  ndr.filetime('PasswordCanChange');
  ndr.filetime('PasswordMustChange');
  const accountStrings = accountStringNames.map((name) => [name, ndr.unicodeString(name)] as const);
  ndr.u16('LogonCount');
  ndr.u16('BadPasswordCount');
  const userId = ndr.u32('UserId');
  const primaryGroupId = ndr.u32('PrimaryGroupId');
  const groupCount = ndr.u32('GroupCount');
  const hasGroupIds = ndr.pointer('GroupIds');
  const userFlags = ndr.u32('UserFlags');
  ndr.reader.skip(16, 'UserSessionKey');
  const logonServerString = ndr.unicodeString('LogonServer');
  const logonDomainString = ndr.unicodeString('LogonDomainName');
  const hasLogonDomainId = ndr.pointer('LogonDomainId');
  ndr.reader.skip(8, 'Reserved1');
  const userAccountControl = ndr.u32('UserAccountControl');
  ndr.u32('SubAuthStatus');
  ndr.filetime('LastSuccessfulILogon');
  ndr.filetime('LastFailedILogon');
  ndr.u32('FailedILogonCount');
  ndr.u32('Reserved3');
  const sidCount = ndr.u32('SidCount');
  const hasExtraSids = ndr.pointer('ExtraSids');
  const hasResourceGroupDomainSid = ndr.pointer('ResourceGroupDomainSid');
  const resourceGroupCount = ndr.u32('ResourceGroupCount');
  const hasResourceGroupIds = ndr.pointer('ResourceGroupIds');

  const [effectiveName = '', fullName = ''] = accountStrings.map(([name, s]) => ndr.unicodeStringBuffer(s, name));
  const groupIds = memberships(ndr, hasGroupIds, groupCount, 'GroupIds');
  const logonServer = text(ndr, logonServerString, 'LogonServer');
  const logonDomainName = text(ndr, logonDomainString, 'LogonDomainName');
  if (!hasLogonDomainId) throw new MalformedTokenError('LogonDomainId', 'is missing');
  const logonDomainId = rpcSid(ndr, 'LogonDomainId');
  const extraSids = sidsAndAttributes(ndr, hasExtraSids, sidCount);
  const resourceGroupDomainSid = hasResourceGroupDomainSid ? rpcSid(ndr, 'ResourceGroupDomainSid') : undefined;
  const resourceGroupIds = memberships(ndr, hasResourceGroupIds, resourceGroupCount, 'ResourceGroupIds');
  if (resourceGroupIds.length > 0 && resourceGroupDomainSid === undefined) {
    throw new MalformedTokenError('ResourceGroupDomainSid', 'is missing');
  }
  return {
    effectiveName,
    fullName,
    logonServer,
    logonDomainName,
    logonDomainId,
    userId,
    primaryGroupId,
    groupIds,
    userFlags,
    userAccountControl,
    extraSids,
    resourceGroupDomainSid,
    resourceGroupIds,
    logonTime,
    kickOffTime,
  };
}

/** The strings in the order of the structure. Only the first two are used. */
const accountStringNames = [
  'EffectiveName',
  'FullName',
  'LogonScript',
  'ProfilePath',
  'HomeDirectory',
  'HomeDirectoryDrive',
] as const;

function text(ndr: NdrReader, string: NdrUnicodeString, field: string): string {
  return ndr.unicodeStringBuffer(string, field);
}

function count(ndr: NdrReader, present: boolean, expected: number, elementBytes: number, field: string): number {
  if (!present) {
    if (expected !== 0) throw new MalformedTokenError(field, `${expected} elements are missing`);
    return 0;
  }
  const conformance = ndr.conformance(field, elementBytes, MAX_SIDS);
  if (conformance !== expected) {
    throw new MalformedTokenError(field, `${conformance} elements where the count says ${expected}`);
  }
  return conformance;
}

function memberships(ndr: NdrReader, present: boolean, expected: number, field: string): GroupMembership[] {
  const length = count(ndr, present, expected, 8, field);
  const groups: GroupMembership[] = [];
  for (let index = 0; index < length; index++) {
    groups.push({ relativeId: ndr.u32(`${field}.RelativeId`), attributes: ndr.u32(`${field}.Attributes`) });
  }
  return groups;
}

/** RPC_SID, MS-DTYP 2.4.2.3. Its conformance (MaximumCount) comes before it. */
function rpcSid(ndr: NdrReader, field: string): string {
  const at = ndr.reader.offset;
  const conformance = ndr.u32(`${field}.MaximumCount`);
  const subAuthorityCount = ndr.reader.bytes[ndr.reader.offset + 1];
  if (conformance !== subAuthorityCount) {
    throw new MalformedTokenError(`${field}.MaximumCount`, `${conformance} is not SubAuthorityCount`, at);
  }
  return readSid(ndr.reader, field);
}

function sidsAndAttributes(ndr: NdrReader, present: boolean, expected: number): SidAndAttributes[] {
  const length = count(ndr, present, expected, 8, 'ExtraSids');
  const attributes: number[] = [];
  for (let index = 0; index < length; index++) {
    if (!ndr.pointer('ExtraSids.Sid')) throw new MalformedTokenError('ExtraSids.Sid', 'is a null pointer');
    attributes.push(ndr.u32('ExtraSids.Attributes'));
  }
  return attributes.map((bits) => ({ sid: rpcSid(ndr, 'ExtraSids.Sid'), attributes: bits }));
}
