/**
 * Opens a real AP-REQ with the key of its service, lets a test alter what is inside, and seals it again: the attacks of
 * someone who has that key, or of a KDC gone wrong. Made with a code path of its own, not with what it tests.
 */
import { readFileSync } from 'node:fs';
import {
  applicationTag,
  contextTag,
  DER_BIT_STRING,
  DER_GENERAL_STRING,
  DER_GENERALIZED_TIME,
  DER_OCTET_STRING,
  DER_SEQUENCE,
  derElement,
  derInteger,
  derOctetString,
  DerReader,
} from '../../../src/formats/der.ts';
import { decrypt, encrypt } from './aes-sha1.ts';

/** The elements of a SEQUENCE whose elements all have context tags: content of the wrapper by tag number. */
export type Fields = Map<number, Uint8Array>;

function fields(sequence: Uint8Array): Fields {
  const reader = new DerReader(sequence).enter(DER_SEQUENCE, 'sequence');
  const found: Fields = new Map();
  for (let tag = reader.peek(); tag !== undefined; tag = reader.peek())
    found.set(tag & 0x1f, reader.content(tag, 'field'));
  return found;
}

function sequence(values: Fields): Uint8Array {
  const sorted = [...values].sort(([a], [b]) => a - b);
  return derElement(DER_SEQUENCE, ...sorted.map(([tag, content]) => derElement(contextTag(tag), content)));
}

/** An AP-REQ without its seals. */
export interface OpenApRequest {
  /** Tag 0 pvno, 1 msg-type, 2 ap-options; 3 and 4 are made anew. */
  readonly request: Fields;
  /** Ticket: 0 tkt-vno, 1 realm, 2 sname; 3 is made anew. */
  readonly ticket: Fields;
  /** EncTicketPart, RFC 4120 section 5.3. */
  readonly encTicket: Fields;
  /** Authenticator, RFC 4120 section 5.5.1. */
  readonly authenticator: Fields;
  /** What stands in the clear about the two encrypted parts. */
  ticketHeader: { encryptionType: number; keyVersion: number | undefined };
  authenticatorEncryptionType: number;
  /** Key of the ticket's session; 32 bytes for AES-256. */
  sessionKey: Uint8Array;
}

const KERBEROS = Uint8Array.from(Buffer.from('06092a864886f7120102020100', 'hex'));

/**
 * Opens a GSS token of Kerberos.
 *
 * @param serviceKey AES key of the service
 */
export function openApRequest(token: Uint8Array, serviceKey: Uint8Array): OpenApRequest {
  const message = new DerReader(token).content(applicationTag(0), 'token').subarray(KERBEROS.byteLength);
  const request = fields(new DerReader(message).content(applicationTag(14), 'AP-REQ'));
  const ticket = fields(new DerReader(request.get(3)!).content(applicationTag(1), 'Ticket'));
  const sealedTicket = fields(ticket.get(3)!);
  const kvno = sealedTicket.get(1);
  const encTicketPart = decrypt(serviceKey, 2, new DerReader(sealedTicket.get(2)!).octetString('cipher'));
  const encTicket = fields(new DerReader(encTicketPart).content(applicationTag(3), 'EncTicketPart'));
  const sessionKey = new DerReader(fields(encTicket.get(1)!).get(1)!).octetString('key');
  const sealedAuthenticator = fields(request.get(4)!);
  const plain = decrypt(sessionKey, 11, new DerReader(sealedAuthenticator.get(2)!).octetString('cipher'));
  return {
    request,
    ticket,
    encTicket,
    authenticator: fields(new DerReader(plain).content(applicationTag(2), 'Authenticator')),
    ticketHeader: {
      encryptionType: new DerReader(sealedTicket.get(0)!).integer('etype'),
      keyVersion: kvno === undefined ? undefined : new DerReader(kvno).integer('kvno'),
    },
    authenticatorEncryptionType: new DerReader(sealedAuthenticator.get(0)!).integer('etype'),
    sessionKey,
  };
}

function encryptedData(encryptionType: number, keyVersion: number | undefined, cipher: Uint8Array): Uint8Array {
  const values: Fields = new Map([
    [0, derInteger(encryptionType)],
    [2, derOctetString(cipher)],
  ]);
  if (keyVersion !== undefined) values.set(1, derInteger(keyVersion));
  return sequence(values);
}

/** Seals an opened AP-REQ again, under the same or another key. */
export function sealApRequest(open: OpenApRequest, serviceKey: Uint8Array): Buffer {
  const encTicketPart = derElement(applicationTag(3), sequence(open.encTicket));
  const { encryptionType, keyVersion } = open.ticketHeader;
  open.ticket.set(3, encryptedData(encryptionType, keyVersion, encrypt(serviceKey, 2, encTicketPart)));
  open.request.set(3, derElement(applicationTag(1), sequence(open.ticket)));
  const authenticator = derElement(applicationTag(2), sequence(open.authenticator));
  const sealed = encrypt(open.sessionKey, 11, authenticator);
  open.request.set(4, encryptedData(open.authenticatorEncryptionType, undefined, sealed));
  const message = derElement(applicationTag(14), sequence(open.request));
  return Buffer.from(derElement(applicationTag(0), KERBEROS, message));
}

/** KerberosTime. */
export function kerberosTime(milliseconds: number): Uint8Array {
  const text = `${new Date(milliseconds).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return derElement(DER_GENERALIZED_TIME, Buffer.from(text));
}

/** PrincipalName of components; bytes are taken as they are. */
export function principalName(type: number, ...components: (string | Uint8Array)[]): Uint8Array {
  const strings = components.map((text) =>
    derElement(DER_GENERAL_STRING, typeof text === 'string' ? Buffer.from(text) : text),
  );
  return sequence(
    new Map([
      [0, derInteger(type)],
      [1, derElement(DER_SEQUENCE, ...strings)],
    ]),
  );
}

/** KerberosString. */
export function kerberosString(text: string): Uint8Array {
  return derElement(DER_GENERAL_STRING, Buffer.from(text));
}

/** Checksum of type 0x8003 with any content (RFC 4121 section 4.1.1), or of another type. */
export function checksumField(content: Uint8Array, type = 0x8003): Uint8Array {
  return sequence(
    new Map([
      [0, derInteger(type)],
      [1, derOctetString(content)],
    ]),
  );
}

/** The content of a checksum field. */
export function checksumContent(field: Uint8Array): Buffer {
  return Buffer.from(new DerReader(fields(field).get(1)!).octetString('checksum'));
}

/** Alters the content of the authenticator's checksum, and its type where one is given. */
export function withChecksum(alter: (content: Buffer) => Uint8Array, type?: number): (open: OpenApRequest) => void {
  return (open) => {
    open.authenticator.set(3, checksumField(alter(checksumContent(open.authenticator.get(3)!)), type));
  };
}

/** EncryptionKey. */
export function encryptionKey(type: number, value: Uint8Array): Uint8Array {
  return sequence(
    new Map([
      [0, derInteger(type)],
      [1, derOctetString(value)],
    ]),
  );
}

/** BIT STRING of 32 bits. */
export function flagBits(bits: number): Uint8Array {
  const content = Buffer.alloc(5);
  content.writeUInt32BE(bits >>> 0, 1);
  return derElement(DER_BIT_STRING, content);
}

/** AuthorizationData with one element. */
export function authorizationData(type: number, data: Uint8Array): Uint8Array {
  const element = sequence(
    new Map([
      [0, derInteger(type)],
      [1, derOctetString(data)],
    ]),
  );
  return derElement(DER_SEQUENCE, element);
}

/** AuthorizationData of one AD-IF-RELEVANT with one AD-WIN2K-PAC: replaces the PAC of a ticket. */
export function pacAuthorizationData(pac: Uint8Array): Uint8Array {
  return authorizationData(1, authorizationData(128, pac));
}

/** AuthorizationData of one AD-IF-RELEVANT with one AD-AUTH-DATA-AP-OPTIONS (MS-KILE section 2.2.5), of an authenticator. */
export function apOptions(options: number): Uint8Array {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(options);
  return authorizationData(1, authorizationData(143, data));
}

/** The PAC of a ticket's authorization-data. */
export function pacOf(authorizationData: Uint8Array): Buffer {
  const find = (data: Uint8Array, type: number): Uint8Array | undefined => {
    const list = new DerReader(data).enter(DER_SEQUENCE, 'authorization-data');
    while (list.remaining > 0) {
      const entry = fields(list.element(DER_SEQUENCE, 'entry'));
      if (new DerReader(entry.get(0)!).integer('ad-type') !== type) continue;
      return new DerReader(entry.get(1)!).content(DER_OCTET_STRING, 'ad-data');
    }
    return undefined;
  };
  const relevant = find(authorizationData, 1);
  const pac = relevant === undefined ? undefined : find(relevant, 128);
  if (pac === undefined) throw new Error('the ticket has no PAC');
  return Buffer.from(pac);
}

/** An AES key of a keytab file of version 2, read on its own: the newest of a principal and encryption type. */
export function keytabKey(path: string, name: string, encryptionType = 18): Buffer {
  const bytes = readFileSync(path);
  let best: { version: number; key: Buffer } | undefined;
  for (let at = 2; at < bytes.byteLength;) {
    const size = bytes.readInt32BE(at);
    const end = at + 4 + Math.abs(size);
    let cursor = at + 4;
    const counted = (): Buffer => {
      const length = bytes.readUInt16BE(cursor);
      cursor += 2 + length;
      return bytes.subarray(cursor - length, cursor);
    };
    if (size > 0) {
      const count = bytes.readUInt16BE(cursor);
      cursor += 2;
      counted();
      const components = Array.from({ length: count }, () => counted().toString());
      cursor += 8;
      const version = bytes[cursor++]!;
      const type = bytes.readUInt16BE(cursor);
      cursor += 2;
      const key = counted();
      if (components.join('/') === name && type === encryptionType && version >= (best?.version ?? 0)) {
        best = { version, key: Buffer.from(key) };
      }
    }
    at = end;
  }
  if (best === undefined) throw new Error(`${path} has no key of type ${encryptionType} for ${name}`);
  return best.key;
}
