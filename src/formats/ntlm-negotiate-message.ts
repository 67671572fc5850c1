/** NEGOTIATE_MESSAGE, MS-NLMP section 2.2.1.1: what the client offers. */
import { MalformedTokenError } from '../errors.ts';
import { decodeOem, fieldBytes, NTLM_NEGOTIATE, openNtlmMessage, readField } from './ntlm-field.ts';
import { NTLMSSP_NEGOTIATE_VERSION } from './ntlm-flags.ts';
import { readVersion, VERSION_BYTES } from './ntlm-version.ts';
import type { NtlmVersion } from './ntlm-version.ts';

/** Signature to WorkstationFields; the VERSION that follows is left out by curl and Chromium. */
const HEADER_BYTES = 32;

export interface NegotiateMessage {
  /** NTLMSSP_* bits. */
  readonly flags: number;
  /** Domain and workstation in the OEM character set; undecided hints that no decision may rest on. */
  readonly domain: Uint8Array;
  readonly workstation: Uint8Array;
  /** Present where the flags say so. */
  readonly version: NtlmVersion | undefined;
}

/** @throws MalformedTokenError where it is not a whole NEGOTIATE_MESSAGE */
export function decodeNegotiateMessage(bytes: Uint8Array): NegotiateMessage {
  const { reader } = openNtlmMessage(bytes, NTLM_NEGOTIATE);
  const flags = reader.u32le('NegotiateFlags');
  const domainField = readField(reader, 'DomainName');
  const workstationField = readField(reader, 'Workstation');
  let version: NtlmVersion | undefined;
  if ((flags & NTLMSSP_NEGOTIATE_VERSION) !== 0) {
    if (reader.remaining < VERSION_BYTES) {
      throw new MalformedTokenError('Version', 'is promised by the flags and missing', reader.offset);
    }
    version = readVersion(reader);
  }
  const domain = fieldBytes(bytes, domainField, HEADER_BYTES);
  const workstation = fieldBytes(bytes, workstationField, HEADER_BYTES);
  return { flags, domain, workstation, version };
}

/** A hint of the message as text; undefined where it is not plain ASCII. */
export function oemHint(bytes: Uint8Array): string | undefined {
  try {
    return decodeOem(bytes, 'hint');
  } catch {
    return undefined;
  }
}
