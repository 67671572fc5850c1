/**
 * The Privilege Attribute Certificate of a Kerberos ticket, MS-PAC: PACTYPE and the small buffers, and the bytes that
 * the signatures cover. The code that has the key verifies the signatures.
 */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { Reader } from '../reader.ts';
import { readSid } from '../sid.ts';
import { decodeUtf16le } from '../utf16.ts';

/** ulType of PAC_INFO_BUFFER, MS-PAC 2.4. */
export const PAC_LOGON_INFO = 1;
export const PAC_SERVER_CHECKSUM = 6;
export const PAC_KDC_CHECKSUM = 7;
export const PAC_CLIENT_INFO = 10;
export const PAC_UPN_DNS_INFO = 12;

/** A PAC may have at most this many buffers. Windows has twenty types, so more are an attack (D12). */
const MAX_BUFFERS = 64;

/** One PAC_INFO_BUFFER with its data. */
export interface PacBuffer {
  /** ulType. */
  readonly type: number;
  /** Offset of the data in bytes from the start of the PAC. */
  readonly offset: number;
  /** A view, not a copy. */
  readonly data: Uint8Array;
}

/**
 * Reads PACTYPE (MS-PAC 2.3).
 *
 * @returns the buffers in order. Only the first of each type: later ones are ignored (MS-PAC 2.4)
 * @throws MalformedTokenError as decodePacBuffers
 */
export function decodePac(bytes: Uint8Array): readonly PacBuffer[] {
  const buffers = new Map<number, PacBuffer>();
  for (const buffer of decodePacBuffers(bytes)) if (!buffers.has(buffer.type)) buffers.set(buffer.type, buffer);
  return [...buffers.values()];
}

/**
 * Reads PACTYPE with all its buffers, also those whose type was there before.
 *
 * @throws MalformedTokenError for another version, a buffer that reaches outside the PAC, is not at a multiple of eight
 *   bytes, or lies inside the headers (attack D12)
 */
export function decodePacBuffers(bytes: Uint8Array): readonly PacBuffer[] {
  const reader = new Reader(bytes);
  const count = reader.u32le('cBuffers');
  const version = reader.u32le('Version');
  if (version !== 0) throw new MalformedTokenError('Version', `${version} is not 0`, 4);
  if (count > MAX_BUFFERS) throw new MalformedTokenError('cBuffers', `${count} is above ${MAX_BUFFERS}`, 0);
  const headerEnd = 8 + 16 * count;
  const buffers: PacBuffer[] = [];
  for (let index = 0; index < count; index++) {
    const at = reader.offset;
    const type = reader.u32le('ulType');
    const size = reader.u32le('cbBufferSize');
    // Read as two halves. A JavaScript number holds every offset inside the PAC exactly; larger ones that get rounded
    // are far outside.
    const offset = reader.u32le('Offset') + reader.u32le('Offset') * 0x100000000;
    if (offset % 8 !== 0 || offset < headerEnd || offset + size > bytes.byteLength) {
      throw new MalformedTokenError('Offset', `${size} bytes from ${offset} are not inside the PAC`, at + 8);
    }
    buffers.push({ type, offset, data: bytes.subarray(offset, offset + size) });
  }
  return buffers;
}

/** PAC_SIGNATURE_DATA, MS-PAC 2.8. */
export interface PacSignature {
  /** SignatureType: -138 HMAC-MD5, 15 AES-128, 16 AES-256 (RFC 4757, RFC 3962). */
  readonly type: number;
  readonly signature: Uint8Array;
}

const signatureBytes: ReadonlyMap<number, number> = new Map([
  [-138, 16],
  [15, 12],
  [16, 12],
  // RFC 8009
  [19, 16],
  [20, 24],
]);

/**
 * Reads PAC_SIGNATURE_DATA. An RODCIdentifier may follow the signature.
 *
 * @throws MalformedTokenError for a type that is not a keyed checksum (attack D12, CVE-2014-6324)
 */
export function decodePacSignature(data: Uint8Array): PacSignature {
  const reader = new Reader(data);
  const type = reader.i32le('SignatureType');
  const length = signatureBytes.get(type);
  if (length === undefined) throw new MalformedTokenError('SignatureType', `${type} is not allowed`, 0);
  const signature = reader.take(length, 'Signature');
  if (reader.remaining !== 0 && reader.remaining !== 2) {
    throw new MalformedTokenError('PAC_SIGNATURE_DATA', `${reader.remaining} bytes too many`, reader.offset);
  }
  return { type, signature };
}

/**
 * The bytes that the server signature covers (MS-PAC 2.8.2): the PAC with the signatures of types 6 and 7 set to zero.
 * Signature types and RODC identifiers stay.
 *
 * @throws MalformedTokenError if one of the two signatures is missing
 */
export function pacServerSignatureInput(bytes: Uint8Array): Uint8Array {
  const input = Uint8Array.from(bytes);
  const buffers = decodePac(bytes);
  for (const type of [PAC_SERVER_CHECKSUM, PAC_KDC_CHECKSUM]) {
    const buffer = buffers.find((candidate) => candidate.type === type);
    if (buffer === undefined) throw new MalformedTokenError('PAC_SIGNATURE_DATA', `no buffer of type ${type}`);
    const { signature } = decodePacSignature(buffer.data);
    input.fill(0, buffer.offset + 4, buffer.offset + 4 + signature.byteLength);
  }
  return input;
}

/** PAC_CLIENT_INFO, MS-PAC 2.7. */
export interface PacClientInfo {
  /** authtime of the ticket, 100 ns since 1601-01-01. */
  readonly clientId: bigint;
  readonly name: string;
}

/** Reads PAC_CLIENT_INFO. */
export function decodePacClientInfo(data: Uint8Array): PacClientInfo {
  const reader = new Reader(data);
  const clientId = reader.u64le('ClientId');
  const length = reader.u16le('NameLength');
  return { clientId, name: decodeUtf16le(reader.take(length, 'Name'), 'Name') };
}

/** UPN_DNS_INFO, MS-PAC 2.10. */
export interface UpnDnsInfo {
  readonly upn: string;
  readonly dnsDomainName: string;
  /** The account has no userPrincipalName: `upn` was made from its account name and domain. */
  readonly upnIsConstructed: boolean;
  /** Present in the extended form only. */
  readonly samName: string | undefined;
  readonly sid: string | undefined;
}

/**
 * Reads UPN_DNS_INFO and its extension.
 *
 * @throws MalformedTokenError if a part reaches outside the buffer
 */
export function decodeUpnDnsInfo(data: Uint8Array): UpnDnsInfo {
  const reader = new Reader(data);
  const upn = part(reader, 'Upn');
  const dnsDomainName = part(reader, 'DnsDomainName');
  const flags = reader.u32le('Flags');
  const extended = (flags & 2) !== 0;
  const samName = extended ? decodeUtf16le(part(reader, 'SamName'), 'SamName') : undefined;
  const sid = extended ? readSid(new Reader(part(reader, 'Sid')), 'Sid') : undefined;
  return {
    upn: decodeUtf16le(upn, 'Upn'),
    dnsDomainName: decodeUtf16le(dnsDomainName, 'DnsDomainName'),
    upnIsConstructed: (flags & 1) !== 0,
    samName,
    sid,
  };
}

function part(header: Reader, name: string): Uint8Array {
  const length = header.u16le(`${name}Length`);
  const offset = header.u16le(`${name}Offset`);
  const reader = new Reader(header.bytes);
  reader.seek(offset, `${name}Offset`);
  return reader.take(length, name);
}
