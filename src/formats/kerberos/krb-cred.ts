/** KRB-CRED: tickets that a client forwards, RFC 4120 section 5.8.1. */
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
import { encryptionKey, kerberosFlags, readAddresses } from './enc-ticket-part.ts';
import type { EncryptionKey, HostAddress } from './enc-ticket-part.ts';
import { decodeKerberosTime } from './kerberos-time.ts';
import { decodePrincipalName } from './principal-parts.ts';
import type { PrincipalParts } from './principal-parts.ts';
import { kerberosString } from './principal.ts';

/** A KRB-CRED, still sealed. */
export interface KrbCred {
  /** Each ticket with its header. */
  readonly tickets: readonly Uint8Array[];
  /** 0: the part is in the clear. */
  readonly encryptionType: number;
  readonly cipher: Uint8Array;
}

/** A forwarded ticket with what its user needs to use it. Times are milliseconds since 1970-01-01 UTC; 0: none. */
export interface ForwardedCredential {
  readonly client: PrincipalParts;
  readonly server: PrincipalParts;
  readonly key: EncryptionKey;
  readonly authTime: number;
  readonly startTime: number;
  readonly endTime: number;
  readonly renewTill: number;
  /** TicketFlags, 32 bits. */
  readonly flags: number;
  readonly addresses: readonly HostAddress[];
  readonly ticket: Uint8Array;
}

/** At most this many tickets: clients forward one. */
const MAX_TICKETS = 16;

/**
 * Reads the part of a KRB-CRED that is in the clear.
 *
 * @throws MalformedTokenError if it is not a KRB-CRED, or has no or too many tickets (attack D20)
 */
export function decodeKrbCred(bytes: Uint8Array): KrbCred {
  const outer = new DerReader(bytes);
  const message = onlySequence(outer.enter(applicationTag(22), 'KRB-CRED'), 'KRB-CRED');
  outer.expectEnd('KRB-CRED');
  if (message.explicitInteger(contextTag(0), 'pvno') !== 5) throw new MalformedTokenError('pvno', 'is not 5');
  if (message.explicitInteger(contextTag(1), 'msg-type') !== 22) throw new MalformedTokenError('msg-type', 'is not 22');
  const list = onlySequence(message.enter(contextTag(2), 'tickets'), 'tickets');
  const tickets: Uint8Array[] = [];
  while (list.remaining > 0) tickets.push(wholeTicket(list.element(applicationTag(1), 'Ticket')));
  if (tickets.length === 0 || tickets.length > MAX_TICKETS) {
    throw new MalformedTokenError('tickets', `are ${tickets.length}`);
  }
  const part = onlySequence(message.enter(contextTag(3), 'enc-part'), 'enc-part');
  const encryptionType = part.explicitInteger(contextTag(0), 'etype');
  if (part.peek() === contextTag(1)) part.explicitInteger(contextTag(1), 'kvno');
  const cipher = part.explicitContent(contextTag(2), DER_OCTET_STRING, 'cipher');
  part.expectEnd('enc-part');
  message.expectEnd('KRB-CRED');
  return { tickets, encryptionType, cipher };
}

/** A ticket as it is, if it is one (RFC 4120 section 5.3). */
function wholeTicket(bytes: Uint8Array): Uint8Array {
  const ticket = onlySequence(new DerReader(bytes).enter(applicationTag(1), 'Ticket'), 'Ticket');
  if (ticket.explicitInteger(contextTag(0), 'tkt-vno') !== 5) throw new MalformedTokenError('tkt-vno', 'is not 5');
  ticket.explicitContent(contextTag(1), DER_GENERAL_STRING, 'Ticket.realm');
  decodePrincipalName(ticket.enter(contextTag(2), 'Ticket.sname'), 'Ticket.sname');
  const part = onlySequence(ticket.enter(contextTag(3), 'Ticket.enc-part'), 'Ticket.enc-part');
  part.explicitInteger(contextTag(0), 'etype');
  if (part.peek() === contextTag(1)) part.explicitInteger(contextTag(1), 'kvno');
  part.explicitContent(contextTag(2), DER_OCTET_STRING, 'cipher');
  part.expectEnd('Ticket.enc-part');
  ticket.expectEnd('Ticket');
  return bytes;
}

/**
 * Reads the decrypted part of a KRB-CRED (EncKrbCredPart).
 *
 * @param tickets of the same KRB-CRED
 * @throws MalformedTokenError if it is malformed, or does not describe each of the tickets (attack D20)
 */
export function decodeEncKrbCredPart(
  bytes: Uint8Array,
  tickets: readonly Uint8Array[],
): readonly [ForwardedCredential, ...ForwardedCredential[]] {
  const outer = new DerReader(bytes);
  const part = onlySequence(outer.enter(applicationTag(29), 'EncKrbCredPart'), 'EncKrbCredPart');
  outer.expectEnd('EncKrbCredPart');
  const list = onlySequence(part.enter(contextTag(0), 'ticket-info'), 'ticket-info');
  const credentials: ForwardedCredential[] = [];
  for (const ticket of tickets) credentials.push(forwarded(list.enter(DER_SEQUENCE, 'KrbCredInfo'), ticket));
  list.expectEnd('ticket-info');
  if (part.peek() === contextTag(1)) part.explicitInteger(contextTag(1), 'nonce');
  if (part.peek() === contextTag(2)) {
    decodeKerberosTime(part.explicitContent(contextTag(2), DER_GENERALIZED_TIME, 'timestamp'), 'timestamp');
  }
  if (part.peek() === contextTag(3)) part.explicitInteger(contextTag(3), 'usec');
  for (const tag of [4, 5]) part.enterOptional(contextTag(tag), 'address');
  part.expectEnd('EncKrbCredPart');
  const [first, ...others] = credentials;
  if (first === undefined) throw new MalformedTokenError('ticket-info', 'is empty');
  return [first, ...others];
}

/** KrbCredInfo. RFC 4120 lets everything but the key be left out; who is to use the ticket needs the names. */
function forwarded(info: DerReader, ticket: Uint8Array): ForwardedCredential {
  const key = encryptionKey(info.enter(contextTag(0), 'KrbCredInfo.key'), 'KrbCredInfo.key');
  const client = principal(info, 1, 'KrbCredInfo.pname');
  const flagsField = info.enterOptional(contextTag(3), 'KrbCredInfo.flags');
  const flags = flagsField === undefined ? 0 : kerberosFlags(flagsField, 'KrbCredInfo.flags');
  const time = (tag: number): number => {
    if (info.peek() !== contextTag(tag)) return 0;
    const content = info.explicitContent(contextTag(tag), DER_GENERALIZED_TIME, 'KrbCredInfo');
    return decodeKerberosTime(content, 'KrbCredInfo');
  };
  const [authTime, startTime, endTime, renewTill] = [time(4), time(5), time(6), time(7)];
  const server = principal(info, 8, 'KrbCredInfo.sname');
  const addressField = info.enterOptional(contextTag(10), 'KrbCredInfo.caddr');
  const addresses = addressField === undefined ? [] : readAddresses(addressField);
  info.expectEnd('KrbCredInfo');
  return { client, server, key, authTime, startTime, endTime, renewTill, flags, addresses, ticket };
}

function principal(info: DerReader, realmTag: number, field: string): PrincipalParts {
  const realm = kerberosString(info.explicitContent(contextTag(realmTag), DER_GENERAL_STRING, field), field);
  return { ...decodePrincipalName(info.enter(contextTag(realmTag + 1), field), field), realm };
}
