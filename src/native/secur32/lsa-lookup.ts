/** Names of SIDs by LsaLookupSids2 (ntsecapi.h), off the event loop: one call for all SIDs of a token. */
import { koffi } from '../koffi.ts';
import { callInLane } from '../native-calls.ts';
import {
  layouts,
  pointerBytes,
  POLICY_LOOKUP_NAMES,
  SID_TYPE_INVALID,
  SID_TYPE_UNKNOWN,
  STATUS_NONE_MAPPED,
  STATUS_SOME_NOT_MAPPED,
} from './declarations.ts';
import type { WindowsFunctions } from './library.ts';
import { readPointer, withLsaMemory, writePointer } from './native-handles.ts';
import type { SidAnswer, SidLookup } from './sid-names.ts';

/** Longest name or domain in bytes. UNLEN of lmcons.h is 256 UTF-16 units; the answer is not trusted to keep to it. */
const MAX_NAME_BYTES = 2 * 1024;
/** More domains than SIDs cannot be. */
const MAX_SIDS = 1024;

/** A look-up with LsaLookupSids2 of this machine. */
export function systemSidLookup(functions: WindowsFunctions): SidLookup {
  let policy: bigint | undefined;
  return async (sids) => {
    if (sids.length > MAX_SIDS) throw new RangeError(`${sids.length} SIDs; at most ${MAX_SIDS} are looked up at once`);
    policy ??= openPolicy(functions);
    return lookUp(functions, policy, sids);
  };
}

/** LsaOpenPolicy of this machine. The handle is kept until the process ends. */
function openPolicy(functions: WindowsFunctions): bigint {
  const attributes = Buffer.alloc(layouts.LSA_OBJECT_ATTRIBUTES.size);
  const handle = Buffer.alloc(pointerBytes);
  const { address } = koffi();
  const status = functions.LsaOpenPolicy(null, address(attributes), POLICY_LOOKUP_NAMES, address(handle)) >>> 0;
  if (status !== 0) throw new Error(`LsaOpenPolicy failed: 0x${status.toString(16)}`);
  return readPointer(handle, 0);
}

async function lookUp(
  functions: WindowsFunctions,
  policy: bigint,
  sids: readonly Uint8Array[],
): Promise<readonly SidAnswer[]> {
  const results = 2 * pointerBytes;
  const pointers = results + sids.length * pointerBytes;
  const memory = Buffer.alloc(pointers + sids.reduce((sum, { byteLength }) => sum + byteLength, 0));
  const address = koffi().address(memory);
  let at = pointers;
  sids.forEach((sid, index) => {
    memory.set(sid, at);
    writePointer(memory, address + BigInt(at), results + index * pointerBytes);
    at += sid.byteLength;
  });
  const status =
    (await callInLane(
      { lane: 'names' },
      functions.LsaLookupSids2,
      policy,
      0,
      sids.length,
      address + BigInt(results),
      address,
      address + BigInt(pointerBytes),
    )) >>> 0;
  const domains = readPointer(memory, 0);
  const names = readPointer(memory, pointerBytes);
  // Both have to be freed even if the call failed because no SID has a name.
  return withLsaMemory(functions, [domains, names], () => {
    if (status === STATUS_NONE_MAPPED) return sids.map(() => 'unmapped');
    if ((status !== 0 && status !== STATUS_SOME_NOT_MAPPED) || names === 0n) return sids.map(() => 'failed');
    return readAnswers(names, sids.length, domains);
  });
}

function readAnswers(names: bigint, count: number, domains: bigint): readonly SidAnswer[] {
  const { size, offsets } = layouts.LSA_TRANSLATED_NAME;
  const memory = bytesAt(names, count * size);
  const domainNames = readDomains(domains);
  return Array.from({ length: count }, (_, index): SidAnswer => {
    const start = index * size;
    const use = memory.readUInt32LE(start + offsets.Use);
    if (use === SID_TYPE_INVALID || use === SID_TYPE_UNKNOWN) return 'unmapped';
    const name = readString(memory, start + offsets.Name);
    const domain = domainNames[memory.readInt32LE(start + offsets.DomainIndex)];
    if (name === undefined || name === '') return 'failed';
    return { name: domain === undefined || domain === '' ? name : `${domain}\\${name}` };
  });
}

function readDomains(address: bigint): readonly (string | undefined)[] {
  if (address === 0n) return [];
  const { size, offsets } = layouts.LSA_REFERENCED_DOMAIN_LIST;
  const list = bytesAt(address, size);
  const count = Math.min(MAX_SIDS, list.readUInt32LE(offsets.Entries));
  const first = readPointer(list, offsets.Domains);
  if (count === 0 || first === 0n) return [];
  const { size: entrySize, offsets: entry } = layouts.LSA_TRUST_INFORMATION;
  const memory = bytesAt(first, count * entrySize);
  return Array.from({ length: count }, (_, index) => readString(memory, index * entrySize + entry.Name));
}

/** The LSA_UNICODE_STRING at an offset. Undefined if it cannot be a name. */
function readString(memory: Buffer, at: number): string | undefined {
  const { offsets } = layouts.LSA_UNICODE_STRING;
  const length = memory.readUInt16LE(at + offsets.Length);
  const address = readPointer(memory, at + offsets.Buffer);
  if (length === 0) return '';
  if (address === 0n || length > MAX_NAME_BYTES || length % 2 !== 0) return undefined;
  return bytesAt(address, length).toString('utf16le');
}

function bytesAt(address: bigint, length: number): Buffer {
  return Buffer.from(koffi().decode(address, 'uint8', length) as Uint8Array);
}
