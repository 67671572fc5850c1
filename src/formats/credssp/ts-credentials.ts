/** TSCredentials: the credentials that a client of CredSSP gives to the server (MS-CSSP 2.2.1.2), in DER. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { contextTag, DER_OCTET_STRING, DerReader, onlySequence } from '../der.ts';
import { decodeUtf16le } from '../utf16.ts';

/** credType: a TSPasswordCreds. */
export const CRED_TYPE_PASSWORD = 1;
/** credType: a TSSmartCardCreds, with a PIN. */
export const CRED_TYPE_SMART_CARD = 2;
/** credType: a TSRemoteGuardCreds. */
export const CRED_TYPE_REMOTE_GUARD = 6;

/** One set of credentials of a type. */
export interface TsCredentials {
  /** CRED_TYPE_*. */
  readonly credType: number;
  /** DER of the structure that the type names. A view of the input. */
  readonly credentials: Uint8Array;
}

/** Name and password of an account (MS-CSSP 2.2.1.2.1). All three are empty in restricted administration mode. */
export interface TsPasswordCreds {
  readonly domain: string;
  readonly userName: string;
  /** UTF-16LE without terminator; a view of the input, so that the caller can wipe it. Never made a string here. */
  readonly password: Uint8Array;
}

/**
 * Reads the outer structure.
 *
 * @param bytes the values are views of it
 * @throws MalformedTokenError if it is not canonical DER, or if anything follows the credentials (attack F04)
 */
export function decodeTsCredentials(bytes: Uint8Array): TsCredentials {
  const fields = onlySequence(new DerReader(bytes), 'TSCredentials');
  const credType = fields.explicitInteger(contextTag(0), 'credType');
  const credentials = fields.explicitContent(contextTag(1), DER_OCTET_STRING, 'credentials');
  fields.expectEnd('TSCredentials');
  return { credType, credentials };
}

/**
 * Reads name and password.
 *
 * @param bytes TsCredentials.credentials of CRED_TYPE_PASSWORD
 * @throws MalformedTokenError if it is not canonical DER, or a name is not UTF-16LE; its text has neither name nor
 *   password
 */
export function decodeTsPasswordCreds(bytes: Uint8Array): TsPasswordCreds {
  const fields = onlySequence(new DerReader(bytes), 'TSPasswordCreds');
  const octets = (tag: number, field: string): Uint8Array =>
    fields.explicitContent(contextTag(tag), DER_OCTET_STRING, field);
  const domain = decodeUtf16le(octets(0, 'domainName'), 'domainName');
  const userName = decodeUtf16le(octets(1, 'userName'), 'userName');
  const password = octets(2, 'password');
  fields.expectEnd('TSPasswordCreds');
  if (password.byteLength % 2 !== 0) throw new MalformedTokenError('password', 'UTF-16 with an odd number of bytes');
  return { domain, userName, password };
}
