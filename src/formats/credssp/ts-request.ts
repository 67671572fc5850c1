/** TSRequest, the message of CredSSP in both directions (MS-CSSP 2.2.1), in DER. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import {
  contextTag,
  DER_INTEGER,
  DER_OCTET_STRING,
  DER_SEQUENCE,
  derElement,
  DerReader,
  derInteger,
  derOctetString,
  onlySequence,
} from '../der.ts';

/** The longest TSRequest that is read, in bytes. Windows' longest tokens (a Kerberos ticket with a PAC) have 48 KiB. */
export const TS_REQUEST_MAX_BYTES = 64 * 1024;
/** Length of clientNonce. */
export const CLIENT_NONCE_BYTES = 32;

/** One message. What it may have depends on its sender and on the leg. */
export interface TsRequest {
  /** The highest version that the sender knows. */
  readonly version: number;
  /** Token of SPNEGO, NTLM or Kerberos: the single entry of negoTokens. */
  readonly negoToken?: Uint8Array | undefined;
  /** TSCredentials, sealed. */
  readonly authInfo?: Uint8Array | undefined;
  /** The public key of the server's certificate, or its hash, sealed. */
  readonly pubKeyAuth?: Uint8Array | undefined;
  /** NTSTATUS, unsigned 32 bits. */
  readonly errorCode?: number | undefined;
  /** CLIENT_NONCE_BYTES random bytes. */
  readonly clientNonce?: Uint8Array | undefined;
}

/**
 * How long the TSRequest is that begins with some bytes.
 *
 * @returns its bytes with the header; undefined if there are too few bytes to tell
 * @throws MalformedTokenError if no TSRequest begins so, or if it is longer than TS_REQUEST_MAX_BYTES
 */
export function tsRequestLength(bytes: Uint8Array): number | undefined {
  const [tag, first] = bytes;
  if (tag !== undefined && tag !== DER_SEQUENCE) throw new MalformedTokenError('TSRequest', 'is not a SEQUENCE', 0);
  if (first === undefined) return undefined;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  // Two bytes tell every length that is allowed, and one that is 64 KiB with its header.
  if (count === 0 || count > 2) throw new MalformedTokenError('TSRequest', `has a length of ${count} bytes`, 1);
  if (bytes.byteLength < 2 + count) return undefined;
  let length = 0;
  for (const byte of bytes.subarray(2, 2 + count)) length = length * 0x100 + byte;
  const whole = 2 + count + length;
  if (whole > TS_REQUEST_MAX_BYTES) throw new MalformedTokenError('TSRequest', `has ${whole} bytes`, 0);
  return whole;
}

/**
 * Reads one message.
 *
 * @param bytes the whole message; the values are views of it
 * @throws MalformedTokenError if it is not canonical DER, has a field that is not known, more than one negoToken
 *   (attack F07), a nonce of another length (attack F02), or bytes behind its end
 */
export function decodeTsRequest(bytes: Uint8Array): TsRequest {
  const fields = onlySequence(new DerReader(bytes), 'TSRequest');
  const version = fields.explicitInteger(contextTag(0), 'version');
  const tokens = fields.enterOptional(contextTag(1), 'negoTokens');
  const negoToken = tokens && onlyNegoToken(tokens);
  const octets = (tag: number, field: string): Uint8Array | undefined =>
    fields.peek() === contextTag(tag) ? fields.explicitContent(contextTag(tag), DER_OCTET_STRING, field) : undefined;
  const authInfo = octets(2, 'authInfo');
  const pubKeyAuth = octets(3, 'pubKeyAuth');
  const errorCode =
    fields.peek() === contextTag(4) ? fields.explicitInteger(contextTag(4), 'errorCode') >>> 0 : undefined;
  const clientNonce = octets(5, 'clientNonce');
  fields.expectEnd('TSRequest');
  if (clientNonce !== undefined && clientNonce.byteLength !== CLIENT_NONCE_BYTES) {
    throw new MalformedTokenError('clientNonce', `has ${clientNonce.byteLength} bytes`);
  }
  return { version, negoToken, authInfo, pubKeyAuth, errorCode, clientNonce };
}

/** NegoData is a list, but every client puts one token into it. */
function onlyNegoToken(tokens: DerReader): Uint8Array {
  const list = onlySequence(tokens, 'negoTokens');
  const entry = list.enter(DER_SEQUENCE, 'NegoDataItem');
  const token = entry.explicitContent(contextTag(0), DER_OCTET_STRING, 'negoToken');
  entry.expectEnd('NegoDataItem');
  list.expectEnd('negoTokens');
  return token;
}

/**
 * Writes one message.
 *
 * @throws RangeError if a number does not fit into 32 bits
 */
export function encodeTsRequest(request: TsRequest): Uint8Array {
  const { version, negoToken, authInfo, pubKeyAuth, errorCode, clientNonce } = request;
  const fields = [derElement(contextTag(0), derInteger(version))];
  const octets = (tag: number, value: Uint8Array | undefined): void => {
    if (value !== undefined) fields.push(derElement(contextTag(tag), derOctetString(value)));
  };
  if (negoToken !== undefined) {
    const item = derElement(DER_SEQUENCE, derElement(contextTag(0), derOctetString(negoToken)));
    fields.push(derElement(contextTag(1), derElement(DER_SEQUENCE, item)));
  }
  octets(2, authInfo);
  octets(3, pubKeyAuth);
  // Four bytes, as Windows has it: an NTSTATUS is a signed number.
  if (errorCode !== undefined) fields.push(derElement(contextTag(4), derInteger(errorCode | 0, DER_INTEGER)));
  octets(5, clientNonce);
  return derElement(DER_SEQUENCE, ...fields);
}
