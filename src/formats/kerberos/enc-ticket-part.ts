/** The decrypted part of a ticket (EncTicketPart, RFC 4120 section 5.3). */
import { applicationTag, contextTag, DER_BIT_STRING, DER_GENERAL_STRING, DER_SEQUENCE, DerReader } from '../der.ts';
import { kerberosTime } from './kerberos-time.ts';
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

/** When a ticket is valid, in milliseconds since 1970-01-01 UTC. */
export interface TicketValidity {
  readonly start: number;
  readonly end: number;
}

/**
 * From when to when a decrypted ticket is valid (starttime, else authtime; endtime).
 *
 * @throws MalformedTokenError if the bytes are not an EncTicketPart
 */
export function decodeTicketTimes(encTicketPart: Uint8Array): TicketValidity {
  const ticket = new DerReader(encTicketPart)
    .enter(applicationTag(3), 'EncTicketPart')
    .enter(DER_SEQUENCE, 'EncTicketPart');
  for (const tag of [0, 1, 2, 3, 4]) ticket.element(contextTag(tag), 'EncTicketPart');
  const authTime = kerberosTime(ticket.enter(contextTag(5), 'authtime'), 'authtime');
  const starts = ticket.enterOptional(contextTag(6), 'starttime');
  const start = starts === undefined ? authTime : kerberosTime(starts, 'starttime');
  return { start, end: kerberosTime(ticket.enter(contextTag(7), 'endtime'), 'endtime') };
}
