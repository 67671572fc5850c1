/** What authorization data an acceptor takes, ignores and refuses: RFC 4120 section 5.2.6, MS-KILE section 3.4.5. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import {
  AD_AP_OPTIONS,
  AD_CAMMAC,
  AD_ETYPE_NEGOTIATION,
  AD_TARGET_PRINCIPAL,
  AD_WIN2K_PAC,
  decodeAuthorizationData,
  decodeEncryptionTypeList,
} from '../../formats/kerberos/authorization-data.ts';
import type { AuthorizationElement } from '../../formats/kerberos/authorization-data.ts';
import { contextTag, DER_SEQUENCE, DerReader } from '../../formats/der.ts';
import { hasLoneSurrogate } from '../../foundation/text.ts';

/** KERB_AP_OPTIONS_CBT: the client knows channel bindings. */
const KERB_AP_OPTIONS_CBT = 0x4000;

/** What a ticket says besides its fields. */
export interface TicketAuthorization {
  /** The PAC, not verified; a view. */
  readonly pac: Uint8Array | undefined;
  /** The service that the KDC says the client meant, if it says so. */
  readonly target: string | undefined;
}

/** What an authenticator says besides its fields. */
export interface AuthenticatorAuthorization {
  /** A PAC that the client itself added. It proves nothing. */
  readonly hasPac: boolean;
  /** The client declares that it knows channel bindings. */
  readonly knowsChannelBindings: boolean;
  /** The service that the client means (KERB_AUTH_DATA_CLIENT_TARGET); empty if it is not UTF-16. */
  readonly target: string | undefined;
  /** Encryption types that the client would rather have for messages (RFC 4537). */
  readonly offeredTypes: readonly number[];
}

/**
 * Reads the authorization data of a ticket.
 *
 * @throws MalformedTokenError if it is malformed, has two PACs, or has an element that must be understood and is not
 *   (attack D27)
 */
export function ticketAuthorization(bytes: Uint8Array | undefined): TicketAuthorization {
  const elements = understood(bytes);
  const pacs = elements.filter(({ type }) => type === AD_WIN2K_PAC);
  if (pacs.length > 1) throw new MalformedTokenError('authorization-data', `has ${pacs.length} PACs`);
  for (const { type, data } of elements) if (type === AD_CAMMAC) checkCammac(data);
  return { pac: pacs[0]?.data, target: targetOf(elements) };
}

/**
 * Reads the authorization data of an authenticator.
 *
 * @throws MalformedTokenError as ticketAuthorization, or if one of the elements that are read is malformed
 */
export function authenticatorAuthorization(bytes: Uint8Array | undefined): AuthenticatorAuthorization {
  const elements = understood(bytes);
  const options = elements.filter(({ type }) => type === AD_AP_OPTIONS);
  const [option] = options;
  if (options.length > 1 || (option !== undefined && option.data.byteLength !== 4)) {
    throw new MalformedTokenError('AD-AUTH-DATA-AP-OPTIONS', 'is not four bytes, once');
  }
  const lists = elements.filter(({ type }) => type === AD_ETYPE_NEGOTIATION);
  const [offeredTypes = []] = lists.map(({ data }) => decodeEncryptionTypeList(data));
  const bits =
    option === undefined ? 0 : new DataView(option.data.buffer, option.data.byteOffset, 4).getUint32(0, true);
  return {
    hasPac: elements.some(({ type }) => type === AD_WIN2K_PAC),
    knowsChannelBindings: (bits & KERB_AP_OPTIONS_CBT) !== 0,
    target: targetOf(elements),
    offeredTypes,
  };
}

/** Types that may stand outside AD-IF-RELEVANT. */
const understoodTypes: ReadonlySet<number> = new Set([
  AD_WIN2K_PAC,
  AD_ETYPE_NEGOTIATION,
  AD_AP_OPTIONS,
  AD_TARGET_PRINCIPAL,
  AD_CAMMAC,
]);

function understood(bytes: Uint8Array | undefined): readonly AuthorizationElement[] {
  const elements = decodeAuthorizationData(bytes);
  const unknown = elements.find(({ type, isOptional }) => !isOptional && !understoodTypes.has(type));
  if (unknown !== undefined) {
    throw new MalformedTokenError('authorization-data', `type ${unknown.type} is not understood and not optional`);
  }
  return elements;
}

function targetOf(elements: readonly AuthorizationElement[]): string | undefined {
  const data = elements.find(({ type }) => type === AD_TARGET_PRINCIPAL)?.data;
  if (data === undefined) return undefined;
  const text = Buffer.from(data).toString('utf16le');
  return data.byteLength % 2 === 0 && !hasLoneSurrogate(text) ? text : '';
}

/** AD-CAMMAC, RFC 7751 section 5: nothing is taken from it, but it must be one. */
function checkCammac(data: Uint8Array): void {
  const outer = new DerReader(data);
  const cammac = outer.enter(DER_SEQUENCE, 'AD-CAMMAC');
  outer.expectEnd('AD-CAMMAC');
  decodeAuthorizationData(cammac.enter(contextTag(0), 'AD-CAMMAC.elements').rest());
  for (const tag of [1, 2, 3]) cammac.enterOptional(contextTag(tag), 'AD-CAMMAC')?.element(DER_SEQUENCE, 'AD-CAMMAC');
  cammac.expectEnd('AD-CAMMAC');
}
