/** What a SPNEGO client sends, RFC 4178 section 4.2, byte by byte as a test wants it. */
import {
  applicationTag,
  contextTag,
  DER_SEQUENCE,
  derElement,
  derObjectIdentifier,
  derOctetString,
} from '../../../src/formats/der.ts';
import { OID_SPNEGO } from '../../../src/formats/object-identifiers.ts';
import { encodeNegTokenResp } from '../../../src/formats/spnego.ts';

/** Bytes written down as text. */
export function fromHex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

/** MechTypeList with its header: what mechListMIC covers. */
export function mechTypeList(...oids: readonly string[]): Uint8Array {
  return derElement(DER_SEQUENCE, ...oids.map(derObjectIdentifier));
}

export interface InitFields {
  readonly mechTypes: Uint8Array;
  readonly reqFlags?: Uint8Array;
  readonly mechToken?: Uint8Array | undefined;
  readonly negHints?: Uint8Array;
  readonly mechListMic?: Uint8Array;
  /** Number of the tag of mechListMIC: 3, and 4 in NegTokenInit2. */
  readonly micTag?: number;
}

/** NegTokenInit in the frame of an initial token. */
export function negTokenInit(fields: InitFields): Uint8Array {
  const { mechTypes, reqFlags, mechToken, negHints, mechListMic, micTag = 3 } = fields;
  const parts = [derElement(contextTag(0), mechTypes)];
  if (reqFlags !== undefined) parts.push(derElement(contextTag(1), reqFlags));
  if (mechToken !== undefined) parts.push(derElement(contextTag(2), derOctetString(mechToken)));
  if (negHints !== undefined) parts.push(derElement(contextTag(3), negHints));
  if (mechListMic !== undefined) parts.push(derElement(contextTag(micTag), derOctetString(mechListMic)));
  return initialToken(derElement(contextTag(0), derElement(DER_SEQUENCE, ...parts)));
}

/** SPNEGO's frame around any bytes. */
export function initialToken(inner: Uint8Array): Uint8Array {
  return derElement(applicationTag(0), derObjectIdentifier(OID_SPNEGO), inner);
}

/** NegTokenResp. */
export const negTokenResp = encodeNegTokenResp;
