/**
 * The unencrypted part of a Kerberos token: the GSS framing (RFC 2743 section 3.1, RFC 4121 section 4.1) and the clear
 * fields of the AP-REQ (RFC 4120 section 5.5.1). They say for which service and under which key the client's ticket is.
 *
 * Nothing here is proven. It is used to refuse early, to tell the operator what a refused client sent, and to recognise
 * a ticket. So reading is strict: no other reader may see another ticket in the same bytes.
 */
import { MalformedTokenError } from '../../foundation/errors.ts';
import {
  applicationTag,
  contextTag,
  DER_GENERAL_STRING,
  DER_GENERALIZED_TIME,
  DER_OCTET_STRING,
  DER_SEQUENCE,
  DerReader,
  onlySequence,
} from '../der.ts';
import { decodeKerberosTime, LAST_KERBEROS_TIME } from './kerberos-time.ts';
import { kerberosString, principalName } from './principal.ts';

/** TOK_ID, RFC 4121 section 4.1: two bytes, big-endian. */
export const TOK_ID_AP_REQ = 0x0100;
export const TOK_ID_AP_REP = 0x0200;
export const TOK_ID_KRB_ERROR = 0x0300;

/** Encryption types, RFC 3961 section 8 and its successors, with their names in krb5.conf. */
export const encryptionTypeNames: ReadonlyMap<number, string> = new Map([
  [1, 'des-cbc-crc'],
  [2, 'des-cbc-md4'],
  [3, 'des-cbc-md5'],
  [16, 'des3-cbc-sha1'],
  [17, 'aes128-cts-hmac-sha1-96'],
  [18, 'aes256-cts-hmac-sha1-96'],
  [19, 'aes128-cts-hmac-sha256-128'],
  [20, 'aes256-cts-hmac-sha384-192'],
  [23, 'arcfour-hmac'],
  [24, 'arcfour-hmac-exp'],
  [25, 'camellia128-cts-cmac'],
  [26, 'camellia256-cts-cmac'],
]);

/** An encryption type for people: its name, or its number if it has no name here. */
export function encryptionTypeName(encryptionType: number): string {
  return encryptionTypeNames.get(encryptionType) ?? `encryption type ${encryptionType}`;
}

/** InitialContextToken: mechanism, TOK_ID and the Kerberos message. */
export interface KerberosToken {
  /** Dotted. */
  readonly mechanism: string;
  readonly tokenId: number;
  /** The message in DER; a view, not a copy. */
  readonly message: Uint8Array;
}

/**
 * Removes the GSS framing of a Kerberos token.
 *
 * @throws MalformedTokenError if the framing is missing or incomplete, or has bytes after it
 */
export function decodeKerberosToken(bytes: Uint8Array): KerberosToken {
  const outer = new DerReader(bytes);
  const inner = outer.enter(applicationTag(0), 'InitialContextToken');
  outer.expectEnd('InitialContextToken');
  const mechanism = inner.objectIdentifier('thisMech');
  const at = inner.offset;
  const rest = inner.rest();
  const [high, low] = rest;
  if (high === undefined || low === undefined) throw new MalformedTokenError('TOK_ID', 'is missing', at);
  return { mechanism, tokenId: (high << 8) | low, message: rest.subarray(2) };
}

/** The unencrypted fields of a ticket, RFC 4120 section 5.3. */
export interface TicketHeader {
  readonly realm: string;
  /** Components of sname joined by `/`. Characters that would be ambiguous are escaped with `\`. */
  readonly serviceName: string;
  readonly encryptionType: number;
  /** kvno of the service's key, if the ticket has one. */
  readonly keyVersion: number | undefined;
}

/** The unencrypted fields of an AP-REQ. */
export interface ApRequestHeader {
  /** use-session-key: user-to-user authentication, which no server here can verify (attack D19). */
  readonly useSessionKey: boolean;
  readonly mutualRequired: boolean;
  readonly ticket: TicketHeader;
  /** The complete field `ticket`, exactly as received. */
  readonly ticketBytes: Uint8Array;
  /** The encrypted ticket. */
  readonly ticketCipher: Uint8Array;
  /** Encryption type of the ticket's session key, which encrypts the authenticator. */
  readonly sessionEncryptionType: number;
  /** The encrypted authenticator. */
  readonly authenticatorCipher: Uint8Array;
}

/**
 * Reads the unencrypted fields of an AP-REQ.
 *
 * @param message from decodeKerberosToken
 * @throws MalformedTokenError if it is not an AP-REQ of version 5
 */
export function decodeApRequest(message: Uint8Array): ApRequestHeader {
  const outer = new DerReader(message);
  const request = onlySequence(outer.enter(applicationTag(14), 'AP-REQ'), 'AP-REQ');
  outer.expectEnd('AP-REQ');
  expectNumber(request, 0, 'AP-REQ.pvno', 5);
  expectNumber(request, 1, 'AP-REQ.msg-type', 14);
  const optionsField = request.enter(contextTag(2), 'ap-options');
  const first = optionsField.bitString('ap-options').bytes[0] ?? 0;
  optionsField.expectEnd('ap-options');
  const ticketStart = request.offset;
  const ticketField = request.enter(contextTag(3), 'ticket');
  const ticket = onlySequence(ticketField.enter(applicationTag(1), 'Ticket'), 'Ticket');
  ticketField.expectEnd('ticket');
  expectNumber(ticket, 0, 'Ticket.tkt-vno', 5);
  const realm = kerberosString(
    ticket.explicitContent(contextTag(1), DER_GENERAL_STRING, 'Ticket.realm'),
    'Ticket.realm',
  );
  const serviceName = principalName(ticket.enter(contextTag(2), 'Ticket.sname'), 'Ticket.sname');
  const ticketData = encryptedData(ticket.enter(contextTag(3), 'Ticket.enc-part'), 'Ticket.enc-part');
  ticket.expectEnd('Ticket');
  const ticketBytes = message.subarray(ticketStart, request.offset);
  const authenticator = encryptedData(request.enter(contextTag(4), 'authenticator'), 'authenticator');
  request.expectEnd('AP-REQ');
  return {
    // RFC 4120 section 5.5.1: bit 1 use-session-key, bit 2 mutual-required.
    useSessionKey: (first & 0x40) !== 0,
    mutualRequired: (first & 0x20) !== 0,
    ticket: {
      realm,
      serviceName,
      encryptionType: ticketData.encryptionType,
      keyVersion: ticketData.keyVersion,
    },
    ticketBytes,
    ticketCipher: ticketData.cipher,
    sessionEncryptionType: authenticator.encryptionType,
    authenticatorCipher: authenticator.cipher,
  };
}

function expectNumber(reader: DerReader, tag: number, field: string, expected: number): void {
  const at = reader.offset;
  const value = reader.explicitInteger(contextTag(tag), field);
  if (value !== expected) throw new MalformedTokenError(field, `${value} is not ${expected}`, at);
}

interface EncryptedData {
  readonly encryptionType: number;
  readonly keyVersion: number | undefined;
  readonly cipher: Uint8Array;
}

/** EncryptedData, RFC 4120 section 5.2.9. */
function encryptedData(wrapper: DerReader, field: string): EncryptedData {
  // All parts share one field name: making names for every token would cost more than reading the token.
  const reader = onlySequence(wrapper, field);
  const encryptionType = reader.explicitInteger(contextTag(0), field);
  const keyVersion = reader.peek() === contextTag(1) ? reader.explicitInteger(contextTag(1), field) : undefined;
  const cipher = reader.explicitContent(contextTag(2), DER_OCTET_STRING, field);
  reader.expectEnd(field);
  return { encryptionType, keyVersion, cipher };
}

/**
 * The client's time in a decrypted Authenticator (ctime, RFC 4120 section 5.5.1).
 *
 * @returns milliseconds since 1970-01-01 UTC, whole seconds
 * @throws MalformedTokenError if the bytes are not an Authenticator
 */
export function decodeAuthenticatorTime(authenticator: Uint8Array): number {
  const reader = new DerReader(authenticator)
    .enter(applicationTag(2), 'Authenticator')
    .enter(DER_SEQUENCE, 'Authenticator');
  for (const tag of [0, 1, 2]) reader.element(contextTag(tag), 'Authenticator');
  if (reader.peek() === contextTag(3)) reader.element(contextTag(3), 'Authenticator.cksum');
  reader.element(contextTag(4), 'Authenticator.cusec');
  const time = reader.explicitContent(contextTag(5), DER_GENERALIZED_TIME, 'ctime');
  return decodeKerberosTime(time, 'ctime', LAST_KERBEROS_TIME);
}

/**
 * error-code of a KRB-ERROR, RFC 4120 section 5.9.1.
 *
 * @param message from decodeKerberosToken
 * @throws MalformedTokenError if it is not a KRB-ERROR
 */
export function decodeErrorCode(message: Uint8Array): number {
  const reader = new DerReader(message).enter(applicationTag(30), 'KRB-ERROR').enter(DER_SEQUENCE, 'KRB-ERROR');
  expectNumber(reader, 0, 'KRB-ERROR.pvno', 5);
  expectNumber(reader, 1, 'KRB-ERROR.msg-type', 30);
  for (const tag of [2, 3]) reader.enterOptional(contextTag(tag), 'KRB-ERROR');
  for (const tag of [4, 5]) reader.element(contextTag(tag), 'KRB-ERROR');
  return reader.enter(contextTag(6), 'KRB-ERROR.error-code').integer('KRB-ERROR.error-code');
}

/** AD-WIN2K-PAC, RFC 4120 section 7.5.4. */
const AD_WIN2K_PAC = 128;

/**
 * Whether AuthorizationData (RFC 4120 section 5.2.6) contains a PAC. Data that cannot be read may contain one. The
 * result is then true, so that the ticket is never taken for one without a PAC.
 *
 * @param authorizationData the SEQUENCE OF
 */
export function holdsPac(authorizationData: Uint8Array): boolean {
  try {
    const list = new DerReader(authorizationData).enter(DER_SEQUENCE, 'AuthorizationData');
    while (list.remaining > 0) {
      const entry = list.enter(DER_SEQUENCE, 'AuthorizationData');
      if (entry.enter(contextTag(0), 'ad-type').integer('ad-type') === AD_WIN2K_PAC) return true;
    }
    return false;
  } catch (error) {
    if (error instanceof MalformedTokenError) return true;
    throw error;
  }
}
