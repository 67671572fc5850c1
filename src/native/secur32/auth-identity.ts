/**
 * SEC_WINNT_AUTH_IDENTITY_EXW (sspi.h) without a user: the account of the process, and the packages that Negotiate may
 * run. `!ntlm` leaves NTLM out.
 */
import { koffi } from '../koffi.ts';
import { layouts } from './declarations.ts';
import { writePointer } from './native-handles.ts';

const SEC_WINNT_AUTH_IDENTITY_VERSION = 0x200;
const SEC_WINNT_AUTH_IDENTITY_UNICODE = 2;

/** The packages that Negotiate can run, by their names in a package list. */
const packageNames = ['Kerberos', 'NTLM'] as const;

/**
 * The package list for the allowed packages.
 *
 * @returns such as `!ntlm`; undefined if all are allowed
 */
export function packageList(allowed: readonly string[] | undefined): string | undefined {
  if (allowed === undefined) return undefined;
  const excluded = packageNames.filter((name) => !allowed.includes(name));
  return excluded.length === 0 ? undefined : excluded.map((name) => `!${name.toLowerCase()}`).join(',');
}

/** The structure in memory. Keep the object referenced while its address is used. */
export interface AuthIdentity {
  readonly address: bigint;
  readonly memory: Buffer;
}

/** Lays out the structure. */
export function authIdentity(packages: string): AuthIdentity {
  const { size, offsets } = layouts.SEC_WINNT_AUTH_IDENTITY_EXW;
  const list = Buffer.from(`${packages}\0`, 'utf16le');
  const memory = Buffer.alloc(size + list.byteLength);
  const address = koffi().address(memory);
  memory.set(list, size);
  memory.writeUInt32LE(SEC_WINNT_AUTH_IDENTITY_VERSION, offsets.Version);
  memory.writeUInt32LE(size, offsets.Length);
  memory.writeUInt32LE(SEC_WINNT_AUTH_IDENTITY_UNICODE, offsets.Flags);
  writePointer(memory, address + BigInt(size), offsets.PackageList);
  memory.writeUInt32LE(packages.length, offsets.PackageListLength);
  return { address, memory };
}
