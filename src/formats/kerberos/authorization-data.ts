/** AuthorizationData, RFC 4120 section 5.2.6: what a KDC or a client adds to a ticket or an authenticator. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { contextTag, DER_OCTET_STRING, DER_SEQUENCE, DerReader } from '../der.ts';

/** ad-type, RFC 4120 section 7.5.4 and its successors, MS-KILE section 2.2. */
export const AD_IF_RELEVANT = 1;
export const AD_CAMMAC = 96;
export const AD_WIN2K_PAC = 128;
export const AD_ETYPE_NEGOTIATION = 129;
export const AD_AP_OPTIONS = 143;
export const AD_TARGET_PRINCIPAL = 144;

/** One element, taken out of the AD-IF-RELEVANT that lie around it. */
export interface AuthorizationElement {
  readonly type: number;
  /** A view, not a copy. */
  readonly data: Uint8Array;
  /** Whether it lies in an AD-IF-RELEVANT. If not, who does not understand it must refuse (section 5.2.6). */
  readonly isOptional: boolean;
}

/** How deep AD-IF-RELEVANT may be nested. KDCs and clients put things into one. */
const MAX_DEPTH = 4;
/** Real tickets have a handful. */
const MAX_ELEMENTS = 256;

/**
 * Reads AuthorizationData.
 *
 * @param bytes the SEQUENCE OF, with its header; undefined: there is none
 * @returns the elements in order, without the AD-IF-RELEVANT
 * @throws MalformedTokenError if it is malformed at any depth, nested too deep, or has more than 256 elements
 */
export function decodeAuthorizationData(bytes: Uint8Array | undefined): readonly AuthorizationElement[] {
  const elements: AuthorizationElement[] = [];
  if (bytes !== undefined) collect(bytes, 0, elements);
  return elements;
}

function collect(bytes: Uint8Array, depth: number, into: AuthorizationElement[]): void {
  if (depth > MAX_DEPTH) throw new MalformedTokenError('AuthorizationData', `is nested more than ${MAX_DEPTH} times`);
  const outer = new DerReader(bytes);
  const list = outer.enter(DER_SEQUENCE, 'AuthorizationData');
  outer.expectEnd('AuthorizationData');
  while (list.remaining > 0) {
    const entry = list.enter(DER_SEQUENCE, 'AuthorizationData');
    const type = entry.explicitInteger(contextTag(0), 'ad-type');
    const data = entry.explicitContent(contextTag(1), DER_OCTET_STRING, 'ad-data');
    entry.expectEnd('AuthorizationData');
    if (type === AD_IF_RELEVANT) {
      collect(data, depth + 1, into);
      continue;
    }
    if (into.length >= MAX_ELEMENTS) {
      throw new MalformedTokenError('AuthorizationData', `has more than ${MAX_ELEMENTS} elements`);
    }
    into.push({ type, data, isOptional: depth > 0 });
  }
}

/**
 * Reads the list of encryption types that a client offers (EtypeList, RFC 4537 section 3).
 *
 * @throws MalformedTokenError if it is not such a list
 */
export function decodeEncryptionTypeList(bytes: Uint8Array): readonly number[] {
  const outer = new DerReader(bytes);
  const list = outer.enter(DER_SEQUENCE, 'EtypeList');
  outer.expectEnd('EtypeList');
  const types: number[] = [];
  while (list.remaining > 0) types.push(list.integer('EtypeList'));
  return types;
}
