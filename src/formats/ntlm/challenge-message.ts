/** CHALLENGE_MESSAGE, MS-NLMP section 2.2.1.2: the server's challenge. */
import { decodeAvPairs } from './av-pairs.ts';
import type { AvPairs } from './av-pairs.ts';
import { decodeOem, fieldBytes, NTLM_CHALLENGE, openNtlmMessage, readField } from './message-field.ts';
import {
  NTLMSSP_NEGOTIATE_TARGET_INFO,
  NTLMSSP_NEGOTIATE_UNICODE,
  NTLMSSP_NEGOTIATE_VERSION,
} from './negotiate-flags.ts';
import { encodeVersion, readVersion, VERSION_BYTES } from './version.ts';
import type { NtlmVersion } from './version.ts';
import { decodeUtf16le } from '../utf16.ts';

/** Size of the fields Signature to TargetInfoFields, and of VERSION. */
const HEADER_BYTES = 48 + VERSION_BYTES;

/** Size in bytes of a server challenge. */
export const SERVER_CHALLENGE_BYTES = 8;

/** What a server puts into its challenge. */
export interface ChallengeFields {
  /** NTLMSSP_* bits. */
  readonly flags: number;
  /** Eight bytes, unpredictable. */
  readonly serverChallenge: Uint8Array;
  /** TargetName, already in the character set that the flags select. */
  readonly targetName: Uint8Array;
  /** An AV_PAIR list, including MsvAvEOL. */
  readonly targetInfo: Uint8Array;
  /** Written only if NTLMSSP_NEGOTIATE_VERSION is set. */
  readonly version: NtlmVersion;
}

/** Encodes the message. VERSION always takes its eight bytes; they are zero if NTLMSSP_NEGOTIATE_VERSION is not set. */
export function encodeChallengeMessage(fields: ChallengeFields): Uint8Array {
  const { targetName, targetInfo } = fields;
  const bytes = new Uint8Array(HEADER_BYTES + targetName.byteLength + targetInfo.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set([0x4e, 0x54, 0x4c, 0x4d, 0x53, 0x53, 0x50, 0x00]);
  view.setUint32(8, NTLM_CHALLENGE, true);
  placeField(view, 12, HEADER_BYTES, targetName.byteLength);
  view.setUint32(20, fields.flags, true);
  bytes.set(fields.serverChallenge.subarray(0, SERVER_CHALLENGE_BYTES), 24);
  placeField(view, 40, HEADER_BYTES + targetName.byteLength, targetInfo.byteLength);
  if ((fields.flags & NTLMSSP_NEGOTIATE_VERSION) !== 0) bytes.set(encodeVersion(fields.version), 48);
  bytes.set(targetName, HEADER_BYTES);
  bytes.set(targetInfo, HEADER_BYTES + targetName.byteLength);
  return bytes;
}

function placeField(view: DataView, at: number, offset: number, length: number): void {
  view.setUint16(at, length, true);
  view.setUint16(at + 2, length, true);
  view.setUint32(at + 4, offset, true);
}

/** A decoded challenge. */
export interface ChallengeMessage {
  readonly flags: number;
  readonly targetName: string;
  readonly serverChallenge: Uint8Array;
  /** Undefined if NTLMSSP_NEGOTIATE_TARGET_INFO is not set. */
  readonly targetInfo: AvPairs | undefined;
  readonly version: NtlmVersion | undefined;
}

/** @throws MalformedTokenError if it is not a complete CHALLENGE_MESSAGE */
export function decodeChallengeMessage(bytes: Uint8Array): ChallengeMessage {
  const { reader } = openNtlmMessage(bytes, NTLM_CHALLENGE);
  const targetNameField = readField(reader, 'TargetName');
  const flags = reader.u32le('NegotiateFlags');
  const serverChallenge = reader.take(SERVER_CHALLENGE_BYTES, 'ServerChallenge');
  reader.skip(8, 'Reserved');
  const targetInfoField = readField(reader, 'TargetInfo');
  const version = (flags & NTLMSSP_NEGOTIATE_VERSION) === 0 ? undefined : readVersion(reader);
  // A server that sends no VERSION may begin its payload there.
  const name = fieldBytes(bytes, targetNameField, 48);
  const info = fieldBytes(bytes, targetInfoField, 48);
  return {
    flags,
    targetName:
      (flags & NTLMSSP_NEGOTIATE_UNICODE) === 0 ? decodeOem(name, 'TargetName') : decodeUtf16le(name, 'TargetName'),
    serverChallenge,
    targetInfo: (flags & NTLMSSP_NEGOTIATE_TARGET_INFO) === 0 ? undefined : decodeAvPairs(info),
    version,
  };
}
