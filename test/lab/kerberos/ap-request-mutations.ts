/**
 * Alters AP-REQs at random: bytes of the token, and elements of what is encrypted in it, which is then encrypted again
 * with the right keys. What comes out is the same for the same seed.
 */
import {
  applicationTag,
  contextTag,
  DER_SEQUENCE,
  derElement,
  derHeaderBytes,
  derInteger,
  derObjectIdentifier,
  derOctetString,
  DerReader,
  writeDerHeader,
} from '../../../src/formats/der.ts';
import { decodeTicketSessionKey } from '../../../src/formats/kerberos/enc-ticket-part.ts';
import { decodeApRequest, decodeKerberosToken } from '../../../src/formats/kerberos/kerberos-token.ts';
import { decodePacBuffers } from '../../../src/formats/kerberos/pac.ts';
import { OID_KERBEROS } from '../../../src/formats/object-identifiers.ts';
import { cipherOf } from './ciphers.ts';

/** A number from 0 to below `limit`. */
export type Dice = (limit: number) => number;

/** Dice that always fall the same way (mulberry32). */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** An element, and how it is written: its content as it is, or what its parts are. */
interface Node {
  tag: number;
  content: Buffer;
  parts: Node[] | undefined;
}

/** Reads elements as deep as they go, also inside of OCTET STRINGs; undefined if the bytes are none. */
function read(bytes: Buffer): Node[] | undefined {
  const nodes: Node[] = [];
  try {
    for (let reader = new DerReader(bytes); reader.remaining > 0;) {
      const tag = reader.peek() ?? 0;
      const content = Buffer.from(reader.content(tag, 'element'));
      const isContainer = (tag & 0x20) !== 0 || (tag === 0x04 && content[0] === 0x30);
      nodes.push({ tag, content, parts: isContainer && content.byteLength > 0 ? read(content) : undefined });
    }
    return nodes;
  } catch {
    return undefined;
  }
}

function write(nodes: readonly Node[]): Buffer {
  return Buffer.concat(
    nodes.map(({ tag, content, parts }) => {
      const inner = parts === undefined ? content : write(parts);
      const bytes = Buffer.alloc(derHeaderBytes(inner.byteLength) + inner.byteLength);
      inner.copy(bytes, writeDerHeader(bytes, 0, tag, inner.byteLength));
      return bytes;
    }),
  );
}

/** All lists of siblings. */
function lists(nodes: Node[]): Node[][] {
  return [nodes, ...nodes.flatMap(({ parts }) => (parts === undefined ? [] : lists(parts)))];
}

/** Alters bytes: flips a bit, cuts, adds, or writes over. */
function alterBytes(bytes: Buffer, roll: Dice): Buffer {
  const at = roll(bytes.byteLength + 1);
  const altered = Buffer.from(bytes);
  switch (roll(5)) {
    case 0:
      return altered.subarray(0, at);
    case 1:
      return Buffer.concat([altered.subarray(0, at), Buffer.of(roll(256)), altered.subarray(at)]);
    case 2:
      return Buffer.from(altered.fill(roll(2) * 0xff));
    default:
      if (at < altered.byteLength) altered[at] = (altered[at] ?? 0) ^ (1 << roll(8));
      return altered;
  }
}

/** Alters one element of a structure: its tag, its content, whether it is there, or where. */
function alterStructure(bytes: Buffer, roll: Dice): Buffer {
  const nodes = read(bytes);
  if (nodes === undefined) return alterBytes(bytes, roll);
  const all = lists(nodes).filter((list) => list.length > 0);
  const list = all[roll(all.length)] ?? nodes;
  const at = roll(list.length);
  const node = list[at];
  if (node === undefined) return bytes;
  switch (roll(8)) {
    case 0:
      list.splice(at, 1);
      break;
    case 1:
      list.splice(at, 0, node);
      break;
    case 2:
      node.tag ^= 1 << roll(8);
      break;
    case 3: {
      const other = roll(list.length);
      [list[at], list[other]] = [list[other] ?? node, node];
      break;
    }
    default:
      // A number, a time, a name, flags; of a container the whole.
      if (node.parts !== undefined && roll(4) > 0) return alterStructure(bytes, roll);
      node.content = alterBytes(node.parts === undefined ? node.content : write(node.parts), roll);
      node.parts = undefined;
  }
  return write(nodes);
}

/** A key of a service. */
export interface SealingKey {
  readonly encryptionType: number;
  readonly value: Uint8Array;
}

/** Alters a PAC, and signs it again for the service if that is possible. */
function alterPac(pac: Buffer, { encryptionType, value }: SealingKey, roll: Dice): Buffer {
  const altered = Buffer.from(pac);
  const count = 1 + roll(3);
  for (let index = 0; index < count; index++) {
    const at = roll(altered.byteLength);
    altered[at] = roll(3) === 0 ? roll(256) : (altered[at] ?? 0) ^ (1 << roll(8));
  }
  try {
    const signatures = decodePacBuffers(altered).filter(({ type }) => type === 6 || type === 7);
    const server = signatures.find(({ type }) => type === 6);
    if (server === undefined) return altered;
    const covered = Buffer.from(altered);
    for (const { offset, data } of signatures) covered.fill(0, offset + 4, offset + data.byteLength);
    const signature = cipherOf(encryptionType).checksum(value, 17, covered);
    if (server.data.byteLength === 4 + signature.byteLength) signature.copy(altered, server.offset + 4);
  } catch {
    // Headers that nobody can read.
  }
  return altered;
}

function withPac(ticket: Buffer, key: SealingKey, roll: Dice): Buffer {
  const nodes = read(ticket);
  const find = (list: readonly Node[]): Node | undefined => {
    for (const node of list) {
      // A PAC begins with its count and version, and is the longest of them.
      if (node.tag === 0x04 && node.parts === undefined && node.content.byteLength > 100) return node;
      const inner = find(node.parts ?? []);
      if (inner !== undefined) return inner;
    }
    return undefined;
  };
  const pac = find(nodes ?? []);
  if (nodes === undefined || pac === undefined) return ticket;
  pac.content = alterPac(pac.content, key, roll);
  return write(nodes);
}

/** The Authenticator with its checksum altered: bindings, flags, what it says of a forwarded ticket. */
function withChecksum(authenticator: Buffer, roll: Dice): Buffer {
  const nodes = read(authenticator);
  const fields = nodes?.[0]?.parts?.[0]?.parts;
  const checksum = fields?.find(({ tag }) => tag === contextTag(3))?.parts?.[0]?.parts?.[1]?.parts?.[0];
  if (nodes === undefined || checksum === undefined) return authenticator;
  const content = Buffer.from(checksum.parts === undefined ? checksum.content : write(checksum.parts));
  checksum.parts = undefined;
  checksum.content = alterBytes(content, roll);
  // The first 28 bytes say what the rest is.
  if (roll(2) === 0 && content.byteLength > 0) {
    const at = roll(Math.min(28, content.byteLength));
    content[at] = roll(3) === 0 ? roll(256) : (content[at] ?? 0) ^ (1 << roll(8));
    checksum.content = content;
  }
  return write(nodes);
}

/** Encryption types of Kerberos with the length of their keys in bytes; of 16 and 26, which few know, too. */
const keyLengths: readonly (readonly [type: number, bytes: number])[] = [
  [17, 16],
  [18, 32],
  [19, 16],
  [20, 32],
  [23, 16],
  [23, 16],
  [16, 24],
  [26, 32],
];

const AD_IF_RELEVANT = 1;
const AD_ETYPE_NEGOTIATION = 129;

/** The Authenticator with another key for messages, or none, and another list of the types that the client would take. */
function withMessageKey(authenticator: Buffer, roll: Dice): Buffer {
  const parts = new DerReader(new DerReader(authenticator).content(applicationTag(2), 'Authenticator'));
  const fields = parts.enter(DER_SEQUENCE, 'Authenticator');
  const kept = new Map<number, Uint8Array>();
  for (let tag = fields.peek(); tag !== undefined; tag = fields.peek()) kept.set(tag, fields.content(tag, 'field'));
  const [type, bytes] = keyLengths[roll(keyLengths.length)] ?? [18, 32];
  if (roll(4) === 0) kept.delete(contextTag(6));
  else {
    const value = Uint8Array.from({ length: bytes }, () => roll(256));
    const key = [derElement(contextTag(0), derInteger(type)), derElement(contextTag(1), derOctetString(value))];
    kept.set(contextTag(6), derElement(DER_SEQUENCE, ...key));
  }
  if (roll(3) === 0) kept.delete(contextTag(8));
  else {
    // Not the last, Camellia: MIT krb5 takes it before RC4, and Node has none.
    const types = Array.from({ length: roll(4) }, () => keyLengths[roll(keyLengths.length - 1)]?.[0] ?? 18);
    const list = derElement(DER_SEQUENCE, ...types.map((known) => derInteger(known)));
    const offer = authorization(AD_ETYPE_NEGOTIATION, list);
    // RFC 4537 section 3 has it inside of AD-IF-RELEVANT.
    kept.set(contextTag(8), roll(4) === 0 ? offer : authorization(AD_IF_RELEVANT, offer));
  }
  const sorted = [...kept].sort(([a], [b]) => a - b).map(([tag, content]) => derElement(tag, content));
  return Buffer.from(derElement(applicationTag(2), derElement(DER_SEQUENCE, ...sorted)));
}

/** AuthorizationData with one element, RFC 4120 section 5.2.6. */
function authorization(type: number, data: Uint8Array): Uint8Array {
  const fields = [derElement(contextTag(0), derInteger(type)), derElement(contextTag(1), derOctetString(data))];
  return derElement(DER_SEQUENCE, derElement(DER_SEQUENCE, ...fields));
}

function sealed(encryptionType: number, keyVersion: number | undefined, cipher: Uint8Array): Uint8Array {
  return derElement(
    DER_SEQUENCE,
    derElement(contextTag(0), derInteger(encryptionType)),
    ...(keyVersion === undefined ? [] : [derElement(contextTag(1), derInteger(keyVersion))]),
    derElement(contextTag(2), derOctetString(cipher)),
  );
}

/** A token that was altered, and how. */
export interface Mutation {
  readonly kind: 'bytes' | 'clear text' | 'ticket' | 'authenticator' | 'message key' | 'checksum' | 'PAC';
  readonly token: Buffer;
  /** Of the ticket, if that was not altered. */
  readonly sessionKey?: SealingKey | undefined;
  /** What was encrypted after it was altered. */
  readonly plain?: Buffer | undefined;
}

interface InnerMutation {
  readonly kind: Mutation['kind'];
  readonly ticket?: (plain: Buffer, roll: Dice, key: SealingKey) => Buffer;
  readonly authenticator?: (plain: Buffer, roll: Dice) => Buffer;
}

const ofTicket: InnerMutation = { kind: 'ticket', ticket: alterStructure };
const ofPac: InnerMutation = { kind: 'PAC', ticket: (plain, roll, key) => withPac(plain, key, roll) };
const ofAuthenticator: InnerMutation = { kind: 'authenticator', authenticator: alterStructure };
const ofChecksum: InnerMutation = { kind: 'checksum', authenticator: withChecksum };
const ofMessageKey: InnerMutation = { kind: 'message key', authenticator: withMessageKey };

/** Alterations of what is encrypted, as often as they come. */
const inside: readonly [InnerMutation, ...InnerMutation[]] = [
  ofTicket,
  ...[ofTicket, ofTicket, ofTicket],
  ...[ofAuthenticator, ofAuthenticator, ofAuthenticator, ofAuthenticator, ofAuthenticator],
  ...[ofChecksum, ofChecksum, ofPac, ofPac, ofPac, ofMessageKey, ofMessageKey],
];
/** The numbers below are of alterations of what is not encrypted. */
const FIRST_INSIDE = 6;

/**
 * Alters a token.
 *
 * @param token an AP-REQ with its GSS framing
 * @param key of the service, of the type of the ticket
 */
export function mutate(token: Buffer, key: SealingKey, roll: Dice): Mutation {
  const choice = roll(FIRST_INSIDE + inside.length);
  if (choice < 2) return { kind: 'bytes', token: alterBytes(token, roll) };
  const { message } = decodeKerberosToken(token);
  const framed = (altered: Uint8Array): Buffer =>
    Buffer.from(derElement(applicationTag(0), derObjectIdentifier(OID_KERBEROS), Uint8Array.of(1, 0), altered));
  if (choice < FIRST_INSIDE) return { kind: 'clear text', token: framed(alterStructure(Buffer.from(message), roll)) };
  const request = decodeApRequest(message);
  const ofService = cipherOf(key.encryptionType);
  const plainTicket = ofService.decrypt(key.value, 2, request.ticketCipher);
  const { encryptionType: sessionType, value } = decodeTicketSessionKey(plainTicket);
  const sessionKey = { encryptionType: sessionType, value: Buffer.from(value) };
  const ofSession = cipherOf(sessionType);
  const plainAuthenticator = ofSession.decrypt(sessionKey.value, 11, request.authenticatorCipher);
  const alteration = inside[choice - FIRST_INSIDE] ?? inside[0];
  const ticket = alteration.ticket?.(plainTicket, roll, key);
  const authenticator = alteration.authenticator?.(plainAuthenticator, roll);
  const fields = new DerReader(new DerReader(message).content(applicationTag(14), 'AP-REQ'));
  const parts = fields.enter(DER_SEQUENCE, 'AP-REQ');
  const head = [0, 1, 2].map((tag) => parts.element(contextTag(tag), 'AP-REQ'));
  const inner = parts.enter(contextTag(3), 'ticket').enter(applicationTag(1), 'Ticket').enter(DER_SEQUENCE, 'Ticket');
  const ticketHead = [0, 1, 2].map((tag) => inner.element(contextTag(tag), 'Ticket'));
  const { encryptionType, keyVersion } = request.ticket;
  const ticketCipher = ticket === undefined ? request.ticketCipher : ofService.encrypt(key.value, 2, ticket);
  const authenticatorCipher =
    authenticator === undefined ? request.authenticatorCipher : ofSession.encrypt(sessionKey.value, 11, authenticator);
  const newTicket = derElement(
    applicationTag(1),
    derElement(
      DER_SEQUENCE,
      ...ticketHead,
      derElement(contextTag(3), sealed(encryptionType, keyVersion, ticketCipher)),
    ),
  );
  const altered = derElement(
    applicationTag(14),
    derElement(
      DER_SEQUENCE,
      ...head,
      derElement(contextTag(3), newTicket),
      derElement(contextTag(4), sealed(request.sessionEncryptionType, undefined, authenticatorCipher)),
    ),
  );
  const known = ticket === undefined ? sessionKey : undefined;
  return { kind: alteration.kind, token: framed(altered), sessionKey: known, plain: ticket ?? authenticator };
}
