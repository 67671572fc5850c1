/** The client's name and its PAC, from the gss_name_t of an accepted context (RFC 6680, gssapi_ext.h). */
import { MalformedTokenError } from '../../errors.ts';
import { decodeKerbValidationInfo } from '../../formats/kerb-validation-info.ts';
import { holdsPac } from '../../formats/kerberos-token.ts';
import { decodePac, decodeUpnDnsInfo, PAC_LOGON_INFO, PAC_UPN_DNS_INFO } from '../../formats/pac.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import { accountOfPac, accountOfPrincipal, hasControlCharacter, parsePrincipal } from './account.ts';
import { inquire, InquiryOid } from './context-inquiry.ts';
import type { AccountCache } from './account-cache.ts';
import type { Frame } from './frame.ts';
import { GSS_S_COMPLETE } from './gss-status.ts';
import type { GssapiLibrary, NativeMemory } from './library.ts';

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

/** The account, or why there is none. */
export type AccountReading =
  { readonly token: SecurityContextToken; readonly client: string } | { readonly refusal: string };

/**
 * Reads the account behind the source name and the context that lie in the frame.
 *
 * A PAC that is there but not verified, or not well-formed, is a refusal and never "no PAC" (attacks D12 to D15).
 *
 * @param requirePac no PAC is a refusal too (attack D16)
 * @param cache of this credential: accounts already made from the same bytes
 */
export function readAccount(
  frame: Frame,
  anonymous: boolean,
  requirePac: boolean,
  cache: AccountCache,
): AccountReading {
  const { gss } = frame.library;
  const major = gss.displayName(frame.minor, frame.sourceNameHandle, frame.display, frame.pointer);
  const client = frame.takeDisplayText();
  if (major !== GSS_S_COMPLETE || client === undefined) return { refusal: 'the client has no principal name' };
  if (hasControlCharacter(client)) return { refusal: 'the name of the client holds control characters' };

  const pac = wholePac(frame);
  // libkrb5 makes no attribute of a PAC whose signature is wrong: it is as if there were none.
  if (pac === undefined ? hasPac(frame) : !pac.authenticated) {
    return { refusal: `the PAC in the ticket of ${client} does not verify with the key of the service` };
  }
  // The verdicts on name and signature are of now; what they then mean depends on these bytes alone.
  const known = cache.get(client, anonymous, pac?.value);
  if (known !== undefined) return { token: known, client };
  const reading = accountOf(client, pac?.value, anonymous, requirePac);
  if ('token' in reading) cache.set(client, anonymous, pac?.value, reading.token);
  return reading;
}

/** The account of a client and its verified PAC. */
function accountOf(
  client: string,
  pac: Uint8Array | undefined,
  anonymous: boolean,
  requirePac: boolean,
): AccountReading {
  const principal = parsePrincipal(client);
  if (principal === undefined) return { refusal: 'the client has no principal name' };
  try {
    const buffers = pac === undefined ? [] : decodePac(pac);
    const logonInfo = buffers.find(({ type }) => type === PAC_LOGON_INFO);
    if (logonInfo === undefined) {
      if (requirePac)
        return { refusal: `the ticket of ${client} has no PAC with logon information, and one is required` };
      return { token: accountOfPrincipal(principal, anonymous), client };
    }
    const info = decodeKerbValidationInfo(logonInfo.data);
    const upnDnsInfo = buffers.find(({ type }) => type === PAC_UPN_DNS_INFO);
    const upnInfo = upnDnsInfo === undefined ? undefined : decodeUpnDnsInfo(upnDnsInfo.data);
    const token = accountOfPac(principal, info, upnInfo, anonymous);
    const names = [token.userName, token.domain, token.displayName, token.userPrincipalName];
    if (names.some((name) => name !== undefined && hasControlCharacter(name))) {
      return { refusal: `a name in the PAC of ${client} holds control characters` };
    }
    return { token, client };
  } catch (error) {
    if (!(error instanceof MalformedTokenError)) throw error;
    return { refusal: `the PAC of ${client} is malformed: ${error.message}` };
  }
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
