/** What an acceptor answers: AP-REP and KRB-ERROR (RFC 4120 sections 5.5.2 and 5.9.1) in their GSS framing (RFC 4121 section 4.1). */
import {
  applicationTag,
  contextTag,
  DER_GENERAL_STRING,
  DER_GENERALIZED_TIME,
  DER_OCTET_STRING,
  DER_SEQUENCE,
  derElement,
  derInteger,
  derObjectIdentifier,
  derOctetString,
} from '../der.ts';
import { DerWriter } from '../der-writer.ts';
import { OID_KERBEROS } from '../object-identifiers.ts';
import type { EncryptionKey } from './enc-ticket-part.ts';
import { TOK_ID_AP_REP, TOK_ID_KRB_ERROR } from './kerberos-token.ts';
import { encodeKerberosTime, kerberosTimeContent } from './kerberos-time.ts';

/** pvno, and msg-type of an AP-REP, which is its application tag as well. */
const PROTOCOL_VERSION = 5;
const MESSAGE_TYPE_AP_REP = 15;

const mechanism = derObjectIdentifier(OID_KERBEROS);

function framed(tokenId: number, message: Uint8Array): Uint8Array {
  return derElement(applicationTag(0), mechanism, Uint8Array.of(tokenId >> 8, tokenId & 0xff), message);
}

function field(tag: number, element: Uint8Array): Uint8Array {
  return derElement(contextTag(tag), element);
}

/** EncAPRepPart. */
export interface ApReplyFields {
  /** ctime and cusec of the authenticator. */
  readonly time: number;
  readonly microseconds: number;
  readonly subkey: EncryptionKey | undefined;
  /** Unsigned 32 bits. */
  readonly sequenceNumber: number;
}

/** Of both messages that an accept writes. Between two of them it is empty. */
const writer = new DerWriter();

/** What was written since, inside an explicit tag. */
function tagged(number: number, since: number): void {
  writer.element(contextTag(number), since);
}

/** An element inside an explicit tag, in front of what is written. */
function taggedInteger(number: number, value: number): void {
  const since = writer.length;
  writer.integer(value);
  tagged(number, since);
}

function taggedBytes(number: number, tag: number, bytes: Uint8Array): void {
  const since = writer.length;
  writer.bytes(bytes);
  writer.element(tag, since);
  tagged(number, since);
}

function written(): Uint8Array {
  const bytes = writer.copy();
  writer.wipe();
  return bytes;
}

/** The part of an AP-REP that is to be encrypted with the session key. The caller wipes it: it has the subkey. */
export function encodeEncApReplyPart({ time, microseconds, subkey, sequenceNumber }: ApReplyFields): Uint8Array {
  // From the last field to the first.
  taggedInteger(3, sequenceNumber);
  if (subkey !== undefined) {
    const since = writer.length;
    taggedBytes(1, DER_OCTET_STRING, subkey.value);
    taggedInteger(0, subkey.encryptionType);
    writer.element(DER_SEQUENCE, since);
    tagged(2, since);
  }
  taggedInteger(1, microseconds);
  taggedBytes(0, DER_GENERALIZED_TIME, kerberosTimeContent(time));
  writer.element(DER_SEQUENCE, 0);
  writer.element(applicationTag(27), 0);
  return written();
}

/** The token with an AP-REP. @param cipher the encrypted EncAPRepPart */
export function encodeApReplyToken(encryptionType: number, cipher: Uint8Array): Uint8Array {
  taggedBytes(2, DER_OCTET_STRING, cipher);
  taggedInteger(0, encryptionType);
  writer.element(DER_SEQUENCE, 0);
  tagged(2, 0);
  taggedInteger(1, MESSAGE_TYPE_AP_REP);
  taggedInteger(0, PROTOCOL_VERSION);
  writer.element(DER_SEQUENCE, 0);
  writer.element(applicationTag(MESSAGE_TYPE_AP_REP), 0);
  writer.byte(TOK_ID_AP_REP & 0xff);
  writer.byte(TOK_ID_AP_REP >> 8);
  writer.bytes(mechanism);
  writer.element(applicationTag(0), 0);
  return written();
}

/** A KRB-ERROR. */
export interface KrbErrorFields {
  /** error-code, RFC 4120 section 7.5.9. */
  readonly code: number;
  /** Time of the server, in milliseconds since 1970-01-01 UTC. */
  readonly time: number;
  /** The service of the ticket, in parts. */
  readonly realm: string;
  readonly serviceName: string;
  /** e-data. */
  readonly data?: Uint8Array | undefined;
}

/** The token with a KRB-ERROR. It tells the client nothing but the code, the server's time, and what it sent itself. */
export function encodeKrbErrorToken({ code, time, realm, serviceName, data }: KrbErrorFields): Uint8Array {
  // NT-SRV-INST, RFC 4120 section 6.2.
  const escaped = serviceName.match(/(?:[^\\/]|\\.)+/gs) ?? [];
  const components = escaped.map((component) =>
    derElement(DER_GENERAL_STRING, Buffer.from(component.replace(/\\(.)/gs, '$1'))),
  );
  const name = derElement(DER_SEQUENCE, field(0, derInteger(2)), field(1, derElement(DER_SEQUENCE, ...components)));
  const microseconds = Math.max(0, Math.floor(time * 1000) % 1_000_000);
  const fields = [
    field(0, derInteger(5)),
    field(1, derInteger(30)),
    field(4, encodeKerberosTime(time)),
    field(5, derInteger(microseconds)),
    field(6, derInteger(code)),
    field(9, derElement(DER_GENERAL_STRING, Buffer.from(realm))),
    field(10, name),
    ...(data === undefined ? [] : [field(12, derOctetString(data))]),
  ];
  return framed(TOK_ID_KRB_ERROR, derElement(applicationTag(30), derElement(DER_SEQUENCE, ...fields)));
}

/** KERB_AP_ERR_TYPE_SKEW_RECOVERY, MS-KILE section 2.2.2: asks a Windows client to try again with the server's time. */
export function skewRecoveryData(): Uint8Array {
  return derElement(DER_SEQUENCE, field(1, derInteger(2)));
}
