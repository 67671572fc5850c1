/** An access token read: the SID of the user and those of the groups. Layouts of winnt.h. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { Reader } from '../../formats/reader.ts';
import { readSid } from '../../formats/sid.ts';
import { koffi } from '../koffi.ts';
import { layouts, TOKEN_GROUPS, TOKEN_USER } from './declarations.ts';
import type { Secur32Library } from './library.ts';
import { readPointer } from './native-handles.ts';

/** A SID with the attributes its token gives it. */
export interface SidAndAttributes {
  /** `S-1-…`. */
  readonly sid: string;
  /** The same as bytes. */
  readonly bytes: Uint8Array;
  /** SE_GROUP_* bits; 0 for a user. */
  readonly attributes: number;
}

/** What is read from a token. */
export interface AccessTokenContent {
  readonly user: SidAndAttributes;
  readonly groups: readonly SidAndAttributes[];
}

/** A token with more is refused: Windows itself stops at 1024 groups. */
const MOST_BYTES = 256 * 1024;

/**
 * Reads user and groups of a token.
 *
 * @param handle of the token, with TOKEN_QUERY
 * @returns undefined where the system does not say
 * @throws MalformedTokenError where what it says is not a token's
 */
export function readAccessToken(
  token: NonNullable<Secur32Library['token']>,
  handle: bigint,
): AccessTokenContent | undefined {
  const user = tokenInformation(token, handle, TOKEN_USER);
  const groups = tokenInformation(token, handle, TOKEN_GROUPS);
  if (user === undefined || groups === undefined) return undefined;
  return {
    user: sidAndAttributes(user.memory, user.address, 0),
    groups: groupsOf(groups.memory, groups.address),
  };
}

/**
 * TOKEN_GROUPS as values.
 *
 * @param memory the structure and the SIDs it points to
 * @param address of `memory` in this process
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

/** SID_AND_ATTRIBUTES at an offset of `memory`, whose pointer must lead into `memory` again. */
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
  token: NonNullable<Secur32Library['token']>,
  handle: bigint,
  informationClass: number,
): { readonly memory: Buffer; readonly address: bigint } | undefined {
  const length = Buffer.alloc(8);
  const lengthAddress = koffi().address(length);
  token.GetTokenInformation(handle, informationClass, null, 0, lengthAddress);
  const size = length.readUInt32LE(0);
  if (size === 0 || size > MOST_BYTES) return undefined;
  const memory = Buffer.alloc(size);
  const address = koffi().address(memory);
  const ok = token.GetTokenInformation(handle, informationClass, address, size, lengthAddress);
  return ok === 0 ? undefined : { memory, address };
}
