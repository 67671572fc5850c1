/** AUTHENTICATE_MESSAGE, MS-NLMP section 2.2.1.3: who the client says it is, and its proof. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { decodeOem, fieldBytes, NTLM_AUTHENTICATE, openNtlmMessage, readField } from './message-field.ts';
import { NTLM_NEGOTIATE_OEM, NTLMSSP_NEGOTIATE_KEY_EXCH, NTLMSSP_NEGOTIATE_UNICODE } from './negotiate-flags.ts';
import { decodeUtf16le } from '../utf16.ts';

/**
 * Size of the fields Signature to NegotiateFlags. VERSION (to offset 72) and MIC (to 88) follow only if the payload
 * leaves room for them.
 */
const HEADER_BYTES = 64;
/** Offset of the MIC in bytes. The payload can begin after it. */
export const MIC_OFFSET = 72;
export const MIC_BYTES = 16;
const HEADER_WITH_MIC_BYTES = MIC_OFFSET + MIC_BYTES;

/** The longest user name in UTF-16 units: UNLEN of lmcons.h. Domain and host names are shorter. */
const MAX_NAME_UNITS = 256;

export interface AuthenticateMessage {
  /** NTLMSSP_* bits as the client sent them. */
  readonly flags: number;
  /** LmChallengeResponse and NtChallengeResponse as received; views of the message. */
  readonly lmResponse: Uint8Array;
  readonly ntResponse: Uint8Array;
  readonly domain: string;
  readonly userName: string;
  readonly workstation: string;
  readonly encryptedRandomSessionKey: Uint8Array;
  /** The sixteen bytes at the offset of the MIC; undefined if the payload leaves no room for one. */
  readonly mic: Uint8Array | undefined;
}

/**
 * Reads the message. Bytes after the payload are ignored: padding is legal and covered by the MIC (attack A04).
 *
 * @param agreedFlags NTLMSSP_* bits that both sides agreed on; they decide how strings are read
 * @throws MalformedTokenError if it is not a complete AUTHENTICATE_MESSAGE, or a name is too long or has a control
 *   character
 */
export function decodeAuthenticateMessage(bytes: Uint8Array, agreedFlags = 0xffffffff): AuthenticateMessage {
  const { reader } = openNtlmMessage(bytes, NTLM_AUTHENTICATE);
  const lm = readField(reader, 'LmChallengeResponse');
  const nt = readField(reader, 'NtChallengeResponse');
  const domain = readField(reader, 'DomainName');
  const user = readField(reader, 'UserName');
  const workstation = readField(reader, 'Workstation');
  const key = readField(reader, 'EncryptedRandomSessionKey');
  const flags = reader.u32le('NegotiateFlags');

  // Without the flag the key must be ignored, whatever its descriptor says.
  const hasKey = (flags & NTLMSSP_NEGOTIATE_KEY_EXCH) !== 0;
  let payload = bytes.byteLength;
  for (const { length, offset } of [lm, nt, domain, user, workstation, ...(hasKey ? [key] : [])]) {
    if (length !== 0 && offset < payload) payload = offset;
  }
  const text = textReader((flags & agreedFlags) >>> 0);
  const part = (field: typeof lm): Uint8Array => fieldBytes(bytes, field, HEADER_BYTES);
  return {
    flags,
    lmResponse: part(lm),
    ntResponse: part(nt),
    domain: text(part(domain), 'DomainName'),
    userName: text(part(user), 'UserName'),
    workstation: text(part(workstation), 'Workstation'),
    encryptedRandomSessionKey: hasKey ? part(key) : new Uint8Array(0),
    mic: payload >= HEADER_WITH_MIC_BYTES ? bytes.subarray(MIC_OFFSET, HEADER_WITH_MIC_BYTES) : undefined,
  };
}

/**
 * Length of a message's NtChallengeResponse in bytes, even if other parts of the message are malformed. 24 is NTLMv1.
 *
 * @returns undefined if it is not an AUTHENTICATE_MESSAGE
 */
export function ntResponseLength(bytes: Uint8Array): number | undefined {
  try {
    const { reader } = openNtlmMessage(bytes, NTLM_AUTHENTICATE);
    readField(reader, 'LmChallengeResponse');
    return readField(reader, 'NtChallengeResponse').length;
  } catch (error) {
    if (error instanceof MalformedTokenError) return undefined;
    throw error;
  }
}

function textReader(flags: number): (bytes: Uint8Array, field: string) => string {
  if ((flags & NTLMSSP_NEGOTIATE_UNICODE) !== 0)
    return (bytes, field) => checkedName(decodeUtf16le(bytes, field), field);
  if ((flags & NTLM_NEGOTIATE_OEM) !== 0) return (bytes, field) => checkedName(decodeOem(bytes, field), field);
  throw new MalformedTokenError('NegotiateFlags', 'has neither the Unicode flag nor the OEM flag', 60);
}

/** Control characters could forge lines in a log or a header (attack A09). No Windows name contains them. */
function checkedName(name: string, field: string): string {
  if (name.length > MAX_NAME_UNITS) throw new MalformedTokenError(field, `has ${name.length} characters`);
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) throw new MalformedTokenError(field, 'has a control character');
  }
  return name;
}
