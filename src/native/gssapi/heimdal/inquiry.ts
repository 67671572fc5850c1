/** Queries of an accepted context with Heimdal: gss_inquire_sec_context_by_oid with the OIDs that it exports. */
import { OID_KERBEROS } from '../../../formats/object-identifiers.ts';
import { decodeExportedName } from '../../../formats/kerberos/exported-name.ts';
import { inquireAt } from '../call/context-inquiry.ts';
import type { Frame } from '../call/frame.ts';
import { GSS_S_COMPLETE } from '../call/gss-status.ts';
import { heimdalOids } from '../call/heimdal-functions.ts';
import { plainSpaces } from './keys.ts';
import type { GssapiLibrary, NativeMemory } from '../call/library.ts';

/** The OIDs of a library. Each member is the address of a gss_OID_desc. */
export interface HeimdalOids {
  readonly authenticationTime: bigint;
  readonly serviceKey: bigint;
  readonly messageKey: bigint;
  readonly initiatorSubkey: bigint;
  readonly importCred: bigint;
  /** For authorization data of the type AD-WIN2K-PAC. */
  readonly pac: bigint;
}

/** AD-WIN2K-PAC (128, RFC 4120 section 7.5.4) as the last arc of an OID. */
const PAC_ARC = Buffer.from([0x81, 0x00]);

/**
 * Looks up the OIDs.
 *
 * @throws Error if the library does not export one of them
 */
export function readHeimdalOids(library: GssapiLibrary): HeimdalOids {
  const { authorizationData, ...plain } = heimdalOids;
  const { oidElements } = library.layout;
  const base = library.copy(library.variable(authorizationData), oidElements + 8);
  const content = library.copy(base.readBigUInt64LE(oidElements), base.readUInt32LE(0));
  const pac: NativeMemory = library.allocate(16 + content.byteLength + PAC_ARC.byteLength);
  pac.bytes.writeUInt32LE(content.byteLength + PAC_ARC.byteLength, 0);
  pac.bytes.writeBigUInt64LE(pac.address + 16n, oidElements);
  pac.bytes.set(content, 16);
  pac.bytes.set(PAC_ARC, 16 + content.byteLength);
  return {
    authenticationTime: library.variable(plain.authenticationTime),
    serviceKey: library.variable(plain.serviceKey),
    messageKey: library.variable(plain.messageKey),
    initiatorSubkey: library.variable(plain.initiatorSubkey),
    importCred: library.variable(plain.importCred),
    pac: pac.address,
  };
}

/** A key in Heimdal's encoding: 16 bits of type and 32 bits of length, big-endian, then the key. */
export interface StoredKey {
  readonly encryptionType: number;
  /** The bytes of the key. Overwrite them after use. */
  readonly value: Buffer;
}

/** Queries a context, that in the frame if left out, for a key. Undefined if it has none. */
export function inquireKey(frame: Frame, oid: bigint, handle = frame.contextHandle): StoredKey | undefined {
  const [stored] = inquireAt(frame, handle, oid);
  if (stored === undefined || stored.byteLength < 6) return undefined;
  const length = stored.readUInt32BE(2);
  if (length !== stored.byteLength - 6) return undefined;
  return { encryptionType: stored.readInt16BE(0), value: stored.subarray(6) };
}

/** The encryption type of a key, which is not kept. Undefined if the context has none. */
export function inquireKeyType(frame: Frame, oid: bigint, handle?: bigint): number | undefined {
  const key = inquireKey(frame, oid, handle);
  key?.value.fill(0);
  return key?.encryptionType;
}

/** authtime of the ticket, in seconds since 1970-01-01 UTC. */
export function inquireAuthenticationTime(frame: Frame, oids: HeimdalOids): number | undefined {
  const [stored] = inquireAt(frame, frame.contextHandle, oids.authenticationTime);
  return stored?.byteLength === 4 ? stored.readUInt32LE(0) : undefined;
}

/**
 * A principal as krb5_unparse_name of MIT krb5 writes it. gss_display_name of Heimdal cannot be used: its name has no
 * `\` before separators that are part of a component (attack D18). The name of gss_export_name has it.
 *
 * @param name gss_name_t of a context
 * @returns undefined if the name cannot be exported or is not a Kerberos name
 * @throws MalformedTokenError if the name is not UTF-8 (attack D22)
 */
export function principalText(frame: Frame, name: bigint): string | undefined {
  const major = frame.library.gss.exportName(frame.minor, name, frame.display);
  const exported = frame.readDisplay();
  if (major !== GSS_S_COMPLETE || exported === undefined) return undefined;
  const { mechanism, name: text } = decodeExportedName(exported);
  return mechanism === OID_KERBEROS ? plainSpaces(text) : undefined;
}
