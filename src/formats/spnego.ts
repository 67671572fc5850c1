/**
 * SPNEGO tokens (RFC 4178 section 4.2, with Microsoft's NegTokenInit2 of MS-SPNG 2.2.1) and the frame of initial GSS
 * tokens (RFC 2743 section 3.1), decoded and encoded. src/packages/negotiate interprets them.
 */
import { MalformedTokenError } from '../foundation/errors.ts';
import {
  applicationTag,
  contextTag,
  DER_ENUMERATED,
  DER_GENERAL_STRING,
  DER_OCTET_STRING,
  DER_SEQUENCE,
  derHeaderBytes,
  derObjectIdentifier,
  DerReader,
  writeDerHeader,
} from './der.ts';
import { OID_KERBEROS, OID_KERBEROS_MICROSOFT, OID_NTLM } from './object-identifiers.ts';

/** negState, RFC 4178 section 4.2.2. */
export const NEG_STATE_ACCEPT_COMPLETED = 0;
export const NEG_STATE_ACCEPT_INCOMPLETE = 1;
export const NEG_STATE_REJECT = 2;
/** Only in the first reply: the acceptor demands a mechListMIC. */
export const NEG_STATE_REQUEST_MIC = 3;

/** A list may contain at most this many mechanisms (attack B03). */
export const MAX_MECH_TYPES = 32;

/** Identifier octet of an initial GSS token, `[APPLICATION 0]`. */
const INITIAL_TOKEN_TAG = applicationTag(0);

/** NegTokenInit and NegTokenInit2. All bytes are views of the token. */
export interface NegTokenInit {
  readonly type: 'NegTokenInit';
  /** mechTypes: object identifiers in dotted form, the one that the sender prefers first; 1 to MAX_MECH_TYPES. */
  readonly mechTypes: readonly string[];
  /** MechTypeList with its SEQUENCE header exactly as received: what mechListMIC covers (RFC 4178 section 5). */
  readonly mechTypesBytes: Uint8Array;
  /** mechToken: the optimistic token for the first mechanism. */
  readonly mechToken: Uint8Array | undefined;
  /** mechListMIC: `[3]`, or `[4]` of NegTokenInit2. */
  readonly mechListMic: Uint8Array | undefined;
  /**
   * hintName of negHints (NegTokenInit2), as bytes of a GeneralString. It is unprotected, so nothing may depend on it.
   */
  readonly hintName: Uint8Array | undefined;
}

/** NegTokenResp. All bytes are views of the token. */
export interface NegTokenResp {
  readonly type: 'NegTokenResp';
  /** NEG_STATE_*; undefined where absent. */
  readonly negState: number | undefined;
  /** supportedMech in dotted form. */
  readonly supportedMech: string | undefined;
  readonly responseToken: Uint8Array | undefined;
  readonly mechListMic: Uint8Array | undefined;
}

/** An initial GSS token without its frame. */
export interface InitialToken {
  /** Mechanism in dotted form. */
  readonly mechanism: string;
  /** The mechanism's own token, which follows its object identifier; a view. */
  readonly innerToken: Uint8Array;
}

/**
 * Reads the frame of an initial GSS token, RFC 2743 section 3.1: `60 length OID innerToken`.
 *
 * @throws MalformedTokenError if it is not such a token, is cut off, or has bytes after it
 */
export function decodeInitialToken(token: Uint8Array): InitialToken {
  const outer = new DerReader(token);
  const frame = outer.enter(INITIAL_TOKEN_TAG, 'InitialContextToken');
  outer.expectEnd('InitialContextToken');
  return { mechanism: frame.objectIdentifier('thisMech'), innerToken: frame.rest() };
}

/**
 * Reads NegotiationToken, the choice of NegTokenInit and NegTokenResp, RFC 4178 section 4.2.
 *
 * @param token for NegTokenInit the innerToken of decodeInitialToken, for NegTokenResp the bytes as received
 * @throws MalformedTokenError if it is neither of the two, or has bytes after it
 */
export function decodeNegotiationToken(token: Uint8Array): NegTokenInit | NegTokenResp {
  const outer = new DerReader(token);
  const isInit = outer.peek() === contextTag(0);
  const name = isInit ? 'NegTokenInit' : 'NegTokenResp';
  const choice = outer.enter(contextTag(isInit ? 0 : 1), name);
  outer.expectEnd('NegotiationToken');
  const fields = choice.enter(DER_SEQUENCE, name);
  choice.expectEnd(name);
  return isInit ? negTokenInit(fields) : negTokenResp(fields);
}

function negTokenInit(fields: DerReader): NegTokenInit {
  const list = fields.enter(contextTag(0), 'mechTypes');
  const mechTypesBytes = list.element(DER_SEQUENCE, 'mechTypes');
  list.expectEnd('mechTypes');
  const mechTypes = mechTypeList(mechTypesBytes);

  // reqFlags are not protected, so they have no effect: MS-SPNG 3.1.5.3 (attack B06).
  const reqFlags = fields.enterOptional(contextTag(1), 'reqFlags');
  reqFlags?.bitString('reqFlags');
  reqFlags?.expectEnd('reqFlags');

  const mechToken = optionalOctets(fields, 2, 'mechToken');

  // [3] is mechListMIC in RFC 4178 and negHints in MS-SPNG 2.2.1, where mechListMIC moves to [4].
  let mechListMic: Uint8Array | undefined;
  let hintName: Uint8Array | undefined;
  const third = fields.enterOptional(contextTag(3), 'mechListMIC');
  if (third?.peek() === DER_OCTET_STRING) {
    mechListMic = third.octetString('mechListMIC');
    third.expectEnd('mechListMIC');
  } else {
    if (third !== undefined) hintName = negHints(third);
    mechListMic = optionalOctets(fields, 4, 'mechListMIC');
  }
  fields.expectEnd('NegTokenInit');
  return { type: 'NegTokenInit', mechTypes, mechTypesBytes, mechToken, mechListMic, hintName };
}

function mechTypeList(bytes: Uint8Array): readonly string[] {
  const list = new DerReader(bytes).enter(DER_SEQUENCE, 'mechTypes');
  const mechTypes: string[] = [];
  while (list.remaining > 0) {
    if (mechTypes.length === MAX_MECH_TYPES) {
      throw new MalformedTokenError('mechTypes', `names more than ${MAX_MECH_TYPES} mechanisms`);
    }
    mechTypes.push(list.objectIdentifier('mechTypes'));
  }
  if (mechTypes.length === 0) throw new MalformedTokenError('mechTypes', 'is empty');
  return mechTypes;
}

function negHints(outer: DerReader): Uint8Array | undefined {
  const hints = outer.enter(DER_SEQUENCE, 'negHints');
  outer.expectEnd('negHints');
  const name = hints.enterOptional(contextTag(0), 'hintName');
  const hintName = name?.content(DER_GENERAL_STRING, 'hintName');
  name?.expectEnd('hintName');
  optionalOctets(hints, 1, 'hintAddress');
  hints.expectEnd('negHints');
  return hintName;
}

function negTokenResp(fields: DerReader): NegTokenResp {
  const state = fields.enterOptional(contextTag(0), 'negState');
  const negState = state?.enumerated('negState');
  state?.expectEnd('negState');
  if (negState !== undefined && (negState < NEG_STATE_ACCEPT_COMPLETED || negState > NEG_STATE_REQUEST_MIC)) {
    throw new MalformedTokenError('negState', `is ${negState}`);
  }
  const mechanism = fields.enterOptional(contextTag(1), 'supportedMech');
  const supportedMech = mechanism?.objectIdentifier('supportedMech');
  mechanism?.expectEnd('supportedMech');
  const responseToken = optionalOctets(fields, 2, 'responseToken');
  const mechListMic = optionalOctets(fields, 3, 'mechListMIC');
  fields.expectEnd('NegTokenResp');
  return { type: 'NegTokenResp', negState, supportedMech, responseToken, mechListMic };
}

function optionalOctets(fields: DerReader, tag: number, name: string): Uint8Array | undefined {
  const outer = fields.enterOptional(contextTag(tag), name);
  const octets = outer?.octetString(name);
  outer?.expectEnd(name);
  return octets;
}

/** The fields that encodeNegTokenResp writes. A field that is undefined is not sent. */
export interface NegTokenRespFields {
  readonly negState?: number | undefined;
  readonly supportedMech?: string | undefined;
  readonly responseToken?: Uint8Array | undefined;
  readonly mechListMic?: Uint8Array | undefined;
}

/** OIDs of the mechanisms that can be chosen, encoded once. */
const encodedMechanisms: ReadonlyMap<string, Uint8Array> = new Map(
  [OID_KERBEROS, OID_KERBEROS_MICROSOFT, OID_NTLM].map((oid) => [oid, derObjectIdentifier(oid)]),
);

/**
 * Encodes NegTokenResp, which is sent without a frame (RFC 4178 section 4.2). For speed it is written into one buffer,
 * because every sign-in has one.
 */
export function encodeNegTokenResp(fields: NegTokenRespFields): Uint8Array {
  const { negState, supportedMech, responseToken, mechListMic } = fields;
  const mechanism =
    supportedMech === undefined
      ? undefined
      : (encodedMechanisms.get(supportedMech) ?? derObjectIdentifier(supportedMech));
  // negState is `a0 03 0a 01` and one byte.
  const length =
    (negState === undefined ? 0 : 5) +
    (mechanism === undefined ? 0 : elementBytes(mechanism.byteLength)) +
    (responseToken === undefined ? 0 : elementBytes(elementBytes(responseToken.byteLength))) +
    (mechListMic === undefined ? 0 : elementBytes(elementBytes(mechListMic.byteLength)));
  // The memory is not zeroed, which is safe: every byte is written below.
  const bytes = Buffer.allocUnsafe(elementBytes(elementBytes(length)));
  let at = writeDerHeader(bytes, 0, contextTag(1), elementBytes(length));
  at = writeDerHeader(bytes, at, DER_SEQUENCE, length);
  if (negState !== undefined) {
    at = writeDerHeader(bytes, at, contextTag(0), 3);
    at = writeDerHeader(bytes, at, DER_ENUMERATED, 1);
    bytes[at++] = negState;
  }
  if (mechanism !== undefined) {
    at = writeDerHeader(bytes, at, contextTag(1), mechanism.byteLength);
    bytes.set(mechanism, at);
    at += mechanism.byteLength;
  }
  if (responseToken !== undefined) at = writeOctets(bytes, at, contextTag(2), responseToken);
  if (mechListMic !== undefined) writeOctets(bytes, at, contextTag(3), mechListMic);
  return bytes;
}

function elementBytes(length: number): number {
  return derHeaderBytes(length) + length;
}

function writeOctets(bytes: Uint8Array, at: number, tag: number, octets: Uint8Array): number {
  const inner = writeDerHeader(bytes, at, tag, elementBytes(octets.byteLength));
  const content = writeDerHeader(bytes, inner, DER_OCTET_STRING, octets.byteLength);
  bytes.set(octets, content);
  return content + octets.byteLength;
}
