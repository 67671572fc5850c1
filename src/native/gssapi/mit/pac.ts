/** The PAC of a ticket by MIT krb5: an attribute of the client's name (RFC 6680), there only where it was verified. */
import { holdsPac } from '../../../formats/kerberos/kerberos-token.ts';
import { inquire, InquiryOid } from '../call/context-inquiry.ts';
import type { PacReading } from '../call/extensions.ts';
import type { Frame } from '../call/frame.ts';
import { GSS_S_COMPLETE } from '../call/gss-status.ts';
import type { GssapiLibrary, NativeMemory } from '../call/library.ts';

/** The whole PAC as an attribute of MIT krb5 (authdata plug-in `mspac`): one call, each of which opens a krb5_context. */
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
 * 1.2.840.113554.1.2.2.5.10 (gssapi_krb5.h: authorization data of a context), then the type: AD-IF-RELEVANT (1), in which
 * a PAC lies (RFC 4120 section 5.2.6.1), and AD-WIN2K-PAC (128) without it.
 */
const ifRelevantOid = new InquiryOid('2a864886f712010202050a01');
const win2kPacOid = new InquiryOid('2a864886f712010202050a8100');

/** The whole PAC; one whose signature is wrong is no attribute: it is as if there were none. */
export function mitPac(frame: Frame): PacReading {
  const pac = wholePac(frame);
  if (pac === undefined) return hasPac(frame) ? 'unverified' : undefined;
  return pac.authenticated ? pac.value : 'unverified';
}

/** Whether the ticket (or the client, with no gain) brought a PAC at all, verified or not. */
function hasPac(frame: Frame): boolean {
  const { contextHandle } = frame;
  return (
    inquire(frame, contextHandle, ifRelevantOid).some(holdsPac) || inquire(frame, contextHandle, win2kPacOid).length > 0
  );
}

interface NameAttribute {
  /** Of the frame: until the next result is taken. */
  readonly value: Buffer;
  /** The library verified where it comes from. */
  readonly authenticated: boolean;
}

/** gss_get_name_attribute of the whole PAC; undefined where the name does not have it. */
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
