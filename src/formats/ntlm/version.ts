/** VERSION, MS-NLMP section 2.2.2.10: for debugging; nothing may depend on it. */
import type { Reader } from '../reader.ts';

/** Bytes of a VERSION structure. */
export const VERSION_BYTES = 8;

export interface NtlmVersion {
  readonly major: number;
  readonly minor: number;
  readonly build: number;
  /** NTLMRevisionCurrent; 15 is NTLMSSP_REVISION_W2K3. */
  readonly revision: number;
}

export function readVersion(reader: Reader): NtlmVersion {
  const major = reader.u8('ProductMajorVersion');
  const minor = reader.u8('ProductMinorVersion');
  const build = reader.u16le('ProductBuild');
  reader.skip(3, 'Reserved');
  return { major, minor, build, revision: reader.u8('NTLMRevisionCurrent') };
}

/** Encodes the eight bytes. */
export function encodeVersion({ major, minor, build, revision }: NtlmVersion): Uint8Array {
  return Uint8Array.of(major, minor, build & 0xff, build >>> 8, 0, 0, 0, revision);
}
