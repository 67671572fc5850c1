/**
 * The PAC of a ticket, with MIT krb5. It is an attribute of the client's name (RFC 6680), and exists only if it was
 * verified.
 */
import { holdsPac } from '../../../formats/kerberos/kerberos-token.ts';
import { inquire, InquiryOid } from '../call/context-inquiry.ts';
import type { PacResult } from '../call/extensions.ts';
import type { Frame } from '../call/frame.ts';
import { GSS_S_COMPLETE } from '../call/gss-status.ts';
import type { GssapiLibrary, NativeMemory } from '../call/library.ts';

/**
 * Name attribute for the whole PAC (authdata plug-in `mspac` of MIT krb5). The whole PAC takes one call. Its parts
 * would take a call each, and every call makes a krb5_context, which is slow.
 */
const WHOLE_PAC = Buffer.from('urn:mspac:');
const wholePacNames = new WeakMap<GssapiLibrary, NativeMemory>();

function wholePacName(library: GssapiLibrary): NativeMemory {
  let name = wholePacNames.get(library);
  if (name === undefined) {
    name = library.allocate(WHOLE_PAC.byteLength);
    name.bytes.set(WHOLE_PAC);
    wholePacNames.set(library, name);
  }
  return name;
}

/**
 * 1.2.840.113554.1.2.2.5.10 (gssapi_krb5.h: authorization data of a context), followed by the type. A PAC is inside
 * AD-IF-RELEVANT (1, RFC 4120 section 5.2.6.1), or is a plain AD-WIN2K-PAC (128).
 */
export const ifRelevantOid = new InquiryOid('2a864886f712010202050a01');
const win2kPacOid = new InquiryOid('2a864886f712010202050a8100');

/**
 * The PAC of the context in the frame. If its signature is wrong, the name has no attribute, as if there were no PAC.
 * So mitPac also looks for a PAC in the authorization data of the context.
 */
export function mitPac(frame: Frame): PacResult {
  const pac = wholePac(frame);
  if (pac === undefined) return hasPac(frame) ? 'unverified' : undefined;
  return pac.authenticated ? pac.value : 'unverified';
}

/**
 * Whether the authorization data of the context has a PAC, verified or not. A client can put one into its
 * Authenticator, but gains nothing: it is then refused.
 */
function hasPac(frame: Frame): boolean {
  const { contextHandle } = frame;
  return (
    inquire(frame, contextHandle, ifRelevantOid).some(holdsPac) || inquire(frame, contextHandle, win2kPacOid).length > 0
  );
}

interface NameAttribute {
  /** A view of the frame, valid until the next result is taken. */
  readonly value: Buffer;
  /** Whether the library verified the origin of the attribute. */
  readonly authenticated: boolean;
}

/** Calls gss_get_name_attribute for the whole PAC. Undefined if the name does not have it. */
function wholePac(frame: Frame): NameAttribute | undefined {
  const { gss } = frame.library;
  const { address, bytes } = wholePacName(frame.library);
  frame.setValueAt(address, bytes.byteLength);
  frame.moreValue = -1;
  frame.numberAValue = 0;
  // prettier-ignore
  const major = gss.getNameAttribute(
    frame.minor, frame.sourceNameHandle, frame.value, frame.numberA, frame.numberB, frame.display, frame.text,
    frame.more,
  );
  const value = frame.readDisplay();
  frame.dropText();
  if (major !== GSS_S_COMPLETE || value === undefined) return undefined;
  return { value, authenticated: frame.numberAValue !== 0 };
}
