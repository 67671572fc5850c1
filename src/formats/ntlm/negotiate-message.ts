/** NEGOTIATE_MESSAGE, MS-NLMP section 2.2.1.1: what the client offers. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { decodeOem, fieldBytes, NTLM_NEGOTIATE, openNtlmMessage, readField } from './message-field.ts';
import type { NtlmField } from './message-field.ts';
import {
  NTLMSSP_NEGOTIATE_OEM_DOMAIN_SUPPLIED,
  NTLMSSP_NEGOTIATE_OEM_WORKSTATION_SUPPLIED,
  NTLMSSP_NEGOTIATE_VERSION,
} from './negotiate-flags.ts';
import { readVersion, VERSION_BYTES } from './version.ts';
import type { NtlmVersion } from './version.ts';

/** Size of the fields Signature to WorkstationFields. VERSION follows; curl and Chromium leave it out. */
const HEADER_BYTES = 32;

/**
 * Largest message that is read, in bytes. Real ones have 32 to some 100, and the largest names that Windows knows fit. The
 * server keeps the message for the MIC until the client answers, and nobody has proved anything yet (attack A17).
 */
export const MAX_NEGOTIATE_MESSAGE_BYTES = 4096;

const none = new Uint8Array(0);

export interface NegotiateMessage {
  /** NTLMSSP_* bits. */
  readonly flags: number;
  /** Domain and workstation in the OEM character set: unproven hints, so no decision may depend on them. */
  readonly domain: Uint8Array;
  readonly workstation: Uint8Array;
  /** Present if NTLMSSP_NEGOTIATE_VERSION is set and the message has room for it. */
  readonly version: NtlmVersion | undefined;
}

/** @throws MalformedTokenError if it is not a complete NEGOTIATE_MESSAGE, or larger than 4 KiB */
export function decodeNegotiateMessage(bytes: Uint8Array): NegotiateMessage {
  if (bytes.byteLength > MAX_NEGOTIATE_MESSAGE_BYTES) {
    const problem = `has ${bytes.byteLength} bytes, at most ${MAX_NEGOTIATE_MESSAGE_BYTES} are allowed`;
    throw new MalformedTokenError('NEGOTIATE_MESSAGE', problem);
  }
  const { reader } = openNtlmMessage(bytes, NTLM_NEGOTIATE);
  const flags = reader.u32le('NegotiateFlags');
  const domainField = readField(reader, 'DomainName');
  const workstationField = readField(reader, 'Workstation');
  // A field whose flag is not set must be ignored, whatever it contains. Nothing depends on Version: cntlm announces
  // one, but has its names there.
  const promised = (flags & NTLMSSP_NEGOTIATE_VERSION) !== 0 && reader.remaining >= VERSION_BYTES;
  const version = promised ? readVersion(reader) : undefined;
  const hint = (field: NtlmField, flag: number): Uint8Array =>
    (flags & flag) === 0 ? none : fieldBytes(bytes, field, HEADER_BYTES);
  const domain = hint(domainField, NTLMSSP_NEGOTIATE_OEM_DOMAIN_SUPPLIED);
  const workstation = hint(workstationField, NTLMSSP_NEGOTIATE_OEM_WORKSTATION_SUPPLIED);
  return { flags, domain, workstation, version };
}

/** A hint of the message as text; undefined if it is not printable ASCII. */
export function oemHint(bytes: Uint8Array): string | undefined {
  try {
    return decodeOem(bytes, 'hint');
  } catch {
    return undefined;
  }
}
