/** Verifies the PAC of a ticket with the key of the service: MS-PAC section 2.8, MS-KILE section 3.4.5.3. */
import { timingSafeEqual } from 'node:crypto';
import { encryptionProfile, KEY_USAGE_PAC } from '../../crypto/kerberos/kerberos-key.ts';
import type { KerberosKey } from '../../crypto/kerberos/kerberos-key.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';
import {
  decodePacBuffers,
  decodePacClientInfo,
  PAC_CLIENT_INFO,
  PAC_KDC_CHECKSUM,
  PAC_LOGON_INFO,
  PAC_SERVER_CHECKSUM,
  PAC_UPN_DNS_INFO,
} from '../../formats/kerberos/pac.ts';
import type { PacBuffer } from '../../formats/kerberos/pac.ts';
import type { PrincipalParts } from '../../formats/kerberos/principal-parts.ts';

/** Bytes of SignatureType, in front of a signature. */
const TYPE_BYTES = 4;
/** Bytes of RODCIdentifier, which may stand behind it: a read-only domain controller has made the ticket. */
const RODC_BYTES = 2;
/** Of these a PAC has one at most: a second could be the one that others read (attacks D12, D24). */
const singular = [PAC_LOGON_INFO, PAC_SERVER_CHECKSUM, PAC_KDC_CHECKSUM, PAC_CLIENT_INFO, PAC_UPN_DNS_INFO];

/** 100 ns between 1601-01-01 and 1970-01-01, and in a second. */
const EPOCH = 116_444_736_000_000_000n;
const INTERVALS_PER_SECOND = 10_000_000n;

/** For usual PACs, one after the other. It holds zeros in between. */
const room = new Uint8Array(4096);

/** What the PAC must agree with. */
export interface PacTicket {
  /** The key that decrypted the ticket. */
  readonly key: KerberosKey;
  readonly client: PrincipalParts;
  /** Milliseconds since 1970-01-01 UTC, whole seconds. */
  readonly authTime: number;
}

/**
 * Whether a PAC is of this ticket and was signed for this service.
 *
 * The KDC's own signatures (types 7, 16, 19) cannot be verified without its key. That of type 7 must be there, because
 * its place is set to zero under the signature for the service.
 */
export function verifiesPac(pac: Uint8Array, ticket: PacTicket): boolean {
  try {
    const buffers = decodePacBuffers(pac);
    const only = (type: number): PacBuffer | undefined => {
      const found = buffers.filter((buffer) => buffer.type === type);
      if (found.length > 1) throw new MalformedTokenError('PACTYPE', `has ${found.length} buffers of type ${type}`);
      return found[0];
    };
    const [, server, kdc, clientInfo] = singular.map(only);
    if (server === undefined || kdc === undefined || clientInfo === undefined) return false;
    return verifiesSignature(pac, server, kdc, ticket.key) && describesClient(clientInfo, ticket);
  } catch (error) {
    if (error instanceof MalformedTokenError) return false;
    throw error;
  }
}

/** Section 2.8.2: over the whole PAC, with both signatures set to zero to the end of their buffers. */
function verifiesSignature(pac: Uint8Array, server: PacBuffer, kdc: PacBuffer, key: KerberosKey): boolean {
  const profile = encryptionProfile(key.encryptionType);
  if (profile === undefined || kdc.data.byteLength < TYPE_BYTES) return false;
  const end = TYPE_BYTES + profile.checksumBytes;
  if (server.data.byteLength !== end && server.data.byteLength !== end + RODC_BYTES) return false;
  const type = new DataView(server.data.buffer, server.data.byteOffset, TYPE_BYTES).getInt32(0, true);
  if (type !== profile.checksumType) return false;
  const covered = pac.byteLength <= room.byteLength ? room.subarray(0, pac.byteLength) : new Uint8Array(pac.byteLength);
  covered.set(pac);
  for (const { offset, data } of [server, kdc]) covered.fill(0, offset + TYPE_BYTES, offset + data.byteLength);
  const expected = key.checksum(KEY_USAGE_PAC, covered);
  covered.fill(0);
  return timingSafeEqual(expected, server.data.subarray(TYPE_BYTES, end));
}

/** Section 2.7: name and time are those of the ticket (attack D14). */
function describesClient({ data }: PacBuffer, { client, authTime }: PacTicket): boolean {
  const { clientId, name } = decodePacClientInfo(data);
  return name === client.components.join('/') && (clientId - EPOCH) / INTERVALS_PER_SECOND === BigInt(authTime / 1000);
}
