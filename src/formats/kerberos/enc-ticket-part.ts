/** The decrypted part of a ticket (EncTicketPart, RFC 4120 section 5.3). */
import { MalformedTokenError } from '../../foundation/errors.ts';
import {
  applicationTag,
  contextTag,
  DER_BIT_STRING,
  DER_GENERAL_STRING,
  DER_GENERALIZED_TIME,
  DER_OCTET_STRING,
  DER_SEQUENCE,
  DerReader,
  onlySequence,
} from '../der.ts';
import { decodeKerberosTime } from './kerberos-time.ts';
import { decodePrincipalName } from './principal-parts.ts';
import type { PrincipalParts } from './principal-parts.ts';
import { kerberosString, principalName } from './principal.ts';
import type { Principal } from './principal.ts';

/** EncryptionKey, RFC 4120 section 5.2.9. */
export interface EncryptionKey {
  readonly encryptionType: number;
  /** A view of the decrypted ticket. */
  readonly value: Uint8Array;
}

/**
 * The session key of a decrypted ticket (EncTicketPart, RFC 4120 section 5.3).
 *
 * @throws MalformedTokenError if the bytes are not an EncTicketPart
 */
export function decodeTicketSessionKey(encTicketPart: Uint8Array): EncryptionKey {
  const ticket = new DerReader(encTicketPart)
    .enter(applicationTag(3), 'EncTicketPart')
    .enter(DER_SEQUENCE, 'EncTicketPart');
  ticket.enter(contextTag(0), 'EncTicketPart.flags').content(DER_BIT_STRING, 'EncTicketPart.flags');
  const key = ticket.enter(contextTag(1), 'EncTicketPart.key').enter(DER_SEQUENCE, 'EncTicketPart.key');
  const encryptionType = key.enter(contextTag(0), 'keytype').integer('keytype');
  return { encryptionType, value: key.enter(contextTag(1), 'keyvalue').octetString('keyvalue') };
}

/**
 * The client of a decrypted ticket (crealm and cname).
 *
 * @throws MalformedTokenError if the bytes are not an EncTicketPart, or if the name is not UTF-8
 */
export function decodeTicketClient(encTicketPart: Uint8Array): Principal {
  const ticket = new DerReader(encTicketPart)
    .enter(applicationTag(3), 'EncTicketPart')
    .enter(DER_SEQUENCE, 'EncTicketPart');
  for (const tag of [0, 1]) ticket.element(contextTag(tag), 'EncTicketPart');
  const realm = ticket.explicitContent(contextTag(2), DER_GENERAL_STRING, 'EncTicketPart.crealm');
  return {
    realm: kerberosString(realm, 'EncTicketPart.crealm'),
    name: principalName(ticket.enter(contextTag(3), 'EncTicketPart.cname'), 'EncTicketPart.cname'),
  };
}

/** Bits of TicketFlags, RFC 4120 section 5.3 and RFC 8062: bit 0 is the highest. */
export const TICKET_INVALID = 0x01000000;
export const TICKET_TRANSITED_POLICY_CHECKED = 0x00080000;
export const TICKET_ANONYMOUS = 0x00008000;

/** A decrypted ticket. All bytes are views of it. */
export interface EncTicketPart {
  /** TicketFlags, 32 bits. */
  readonly flags: number;
  readonly sessionKey: EncryptionKey;
  readonly client: PrincipalParts;
  /** Realms between the client's and the service's, in the encoding of section 3.3.3.2; empty: none. */
  readonly transited: Uint8Array;
  /** Milliseconds since 1970-01-01 UTC, whole seconds. */
  readonly authTime: number;
  /** authTime if the ticket has none. */
  readonly startTime: number;
  readonly endTime: number;
  /** The SEQUENCE OF with its header. */
  readonly authorizationData: Uint8Array | undefined;
}

/** KerberosFlags, RFC 4120 section 5.2.8: at least 32 bits, of which the first 32 are used. */
export function kerberosFlags(wrapper: DerReader, field: string): number {
  const { bytes, unusedBits } = wrapper.bitString(field);
  wrapper.expectEnd(field);
  if (bytes.byteLength < 4 || (bytes.byteLength === 4 && unusedBits > 0)) {
    throw new MalformedTokenError(field, 'has fewer than 32 bits');
  }
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}

/** EncryptionKey inside an explicit tag. */
export function encryptionKey(wrapper: DerReader, field: string): EncryptionKey {
  const key = onlySequence(wrapper, field);
  const encryptionType = key.explicitInteger(contextTag(0), field);
  const value = key.explicitContent(contextTag(1), DER_OCTET_STRING, field);
  key.expectEnd(field);
  return { encryptionType, value };
}

/**
 * Reads a decrypted ticket.
 *
 * @throws MalformedTokenError if the bytes are not an EncTicketPart, or are more than one
 */
export function decodeEncTicketPart(bytes: Uint8Array): EncTicketPart {
  const outer = new DerReader(bytes);
  const ticket = onlySequence(outer.enter(applicationTag(3), 'EncTicketPart'), 'EncTicketPart');
  outer.expectEnd('EncTicketPart');
  const flags = kerberosFlags(ticket.enter(contextTag(0), 'EncTicketPart.flags'), 'EncTicketPart.flags');
  const sessionKey = encryptionKey(ticket.enter(contextTag(1), 'EncTicketPart.key'), 'EncTicketPart.key');
  const realm = ticket.explicitContent(contextTag(2), DER_GENERAL_STRING, 'EncTicketPart.crealm');
  const name = decodePrincipalName(ticket.enter(contextTag(3), 'EncTicketPart.cname'), 'EncTicketPart.cname');
  const transitedField = onlySequence(ticket.enter(contextTag(4), 'transited'), 'transited');
  transitedField.explicitInteger(contextTag(0), 'transited.tr-type');
  const transited = transitedField.explicitContent(contextTag(1), DER_OCTET_STRING, 'transited.contents');
  transitedField.expectEnd('transited');
  const time = (tag: number, field: string): number =>
    decodeKerberosTime(ticket.explicitContent(contextTag(tag), DER_GENERALIZED_TIME, field), field);
  const authTime = time(5, 'authtime');
  // A time of 1970-01-01 counts as none in libkrb5.
  const startTime = ticket.peek() === contextTag(6) ? time(6, 'starttime') || authTime : authTime;
  const endTime = time(7, 'endtime');
  if (ticket.peek() === contextTag(8)) time(8, 'renew-till');
  // caddr: addresses are not compared, as libkrb5 does by default.
  const addresses = ticket.enterOptional(contextTag(9), 'caddr');
  if (addresses !== undefined) readAddresses(addresses);
  const dataField = ticket.enterOptional(contextTag(10), 'authorization-data');
  const authorizationData = dataField?.element(DER_SEQUENCE, 'authorization-data');
  dataField?.expectEnd('authorization-data');
  ticket.expectEnd('EncTicketPart');
  return {
    flags,
    sessionKey,
    client: { ...name, realm: kerberosString(realm, 'EncTicketPart.crealm') },
    transited,
    authTime,
    startTime,
    endTime,
    authorizationData,
  };
}

/** One HostAddress, RFC 4120 section 5.2.5. */
export interface HostAddress {
  readonly type: number;
  readonly address: Uint8Array;
}

/** HostAddresses inside an explicit tag. */
export function readAddresses(wrapper: DerReader): readonly HostAddress[] {
  const list = onlySequence(wrapper, 'HostAddresses');
  const addresses: HostAddress[] = [];
  while (list.remaining > 0) {
    const entry = list.enter(DER_SEQUENCE, 'HostAddress');
    const type = entry.explicitInteger(contextTag(0), 'addr-type');
    addresses.push({ type, address: entry.explicitContent(contextTag(1), DER_OCTET_STRING, 'address') });
    entry.expectEnd('HostAddress');
  }
  return addresses;
}
