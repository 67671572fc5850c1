/** Reads the SIDs of the user and of the groups from a Windows access token. The structures are those of winnt.h. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { Reader } from '../../formats/reader.ts';
import { readSid } from '../../formats/sid.ts';
import { koffi } from '../koffi.ts';
import { layouts, TOKEN_GROUPS, TOKEN_USER } from './declarations.ts';
import type { WindowsFunctions } from './library.ts';
import { readPointer } from './native-handles.ts';

/** SID_AND_ATTRIBUTES of an access token. */
export interface SidAndAttributes {
  /** `S-1-…`. */
  readonly sid: string;
  /** The same SID in binary form. */
  readonly bytes: Uint8Array;
  /** SE_GROUP_* bits; 0 for a user. */
  readonly attributes: number;
}

/** The part of an access token that is read here. */
export interface AccessTokenContent {
  readonly user: SidAndAttributes;
  readonly groups: readonly SidAndAttributes[];
}

/** Largest answer of GetTokenInformation that is accepted, in bytes. Windows itself allows at most 1024 groups. */
const MAX_TOKEN_INFORMATION_BYTES = 256 * 1024;

/**
 * Reads the user and the groups of an access token.
 *
 * @param token the functions of advapi32.dll and kernel32.dll
 * @param handle handle of the access token, with TOKEN_QUERY access
 * @returns undefined if GetTokenInformation fails or its answer is too large
 * @throws MalformedTokenError `ERR_SSPI_AUTH_MALFORMED` if the answer is not well-formed
 */
export function readAccessToken(token: WindowsFunctions, handle: bigint): AccessTokenContent | undefined {
  const user = tokenInformation(token, handle, TOKEN_USER);
  const groups = tokenInformation(token, handle, TOKEN_GROUPS);
  if (user === undefined || groups === undefined) return undefined;
  return {
    user: sidAndAttributes(user.memory, user.address, 0),
    groups: groupsOf(groups.memory, groups.address),
  };
}

/**
 * Decodes TOKEN_GROUPS.
 *
 * @param memory the structure and the SIDs that it points to
 * @param address address of `memory` in this process
 * @throws MalformedTokenError `ERR_SSPI_AUTH_MALFORMED` if the count or a pointer leads outside of `memory`
 */
export function groupsOf(memory: Buffer, address: bigint): SidAndAttributes[] {
  const count = new Reader(memory).u32le('GroupCount');
  const { size } = layouts.SID_AND_ATTRIBUTES;
  const first = layouts.TOKEN_GROUPS.offsets.Groups;
  if (count * size > memory.byteLength - first) {
    throw new MalformedTokenError('GroupCount', `${count} groups do not fit into ${memory.byteLength} bytes`, 0);
  }
  return Array.from({ length: count }, (_, index) => sidAndAttributes(memory, address, first + index * size));
}

/**
 * Decodes the SID_AND_ATTRIBUTES at offset `at` of `memory`.
 *
 * @param address address of `memory` in this process
 * @throws MalformedTokenError `ERR_SSPI_AUTH_MALFORMED` if the pointer to the SID leads outside of `memory`
 */
export function sidAndAttributes(memory: Buffer, address: bigint, at: number): SidAndAttributes {
  const { offsets, size } = layouts.SID_AND_ATTRIBUTES;
  new Reader(memory).seek(at + size, 'SID_AND_ATTRIBUTES');
  const attributes = memory.readUInt32LE(at + offsets.Attributes);
  const pointer = readPointer(memory, at + offsets.Sid) - address;
  const reader = new Reader(memory);
  reader.seek(pointer < 0n || pointer > BigInt(memory.byteLength) ? -1 : Number(pointer), 'Sid');
  const start = reader.offset;
  const sid = readSid(reader, 'Sid');
  return { sid, bytes: memory.subarray(start, reader.offset), attributes };
}

function tokenInformation(
  token: WindowsFunctions,
  handle: bigint,
  informationClass: number,
): { readonly memory: Buffer; readonly address: bigint } | undefined {
  const length = Buffer.alloc(8);
  const lengthAddress = koffi().address(length);
  token.GetTokenInformation(handle, informationClass, null, 0, lengthAddress);
  const size = length.readUInt32LE(0);
  if (size === 0 || size > MAX_TOKEN_INFORMATION_BYTES) return undefined;
  const memory = Buffer.alloc(size);
  const address = koffi().address(memory);
  const ok = token.GetTokenInformation(handle, informationClass, address, size, lengthAddress);
  return ok === 0 ? undefined : { memory, address };
}
