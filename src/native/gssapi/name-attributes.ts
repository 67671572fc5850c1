/** The client's name and its PAC, from the gss_name_t of an accepted context (RFC 6680, gssapi_ext.h). */
import { MalformedTokenError } from '../../errors.ts';
import { decodeKerbValidationInfo } from '../../formats/kerb-validation-info.ts';
import { decodeUpnDnsInfo } from '../../formats/pac.ts';
import type { UpnDnsInfo } from '../../formats/pac.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import { accountOfPac, accountOfPrincipal, hasControlCharacter, parsePrincipal } from './account.ts';
import type { Frame } from './frame.ts';
import { GSS_S_COMPLETE } from './gss-status.ts';

/** Attributes that MIT krb5 makes of the PAC's buffers (authdata plug-in `mspac`). */
const LOGON_INFO = Buffer.from('urn:mspac:logon-info');
const UPN_DNS_INFO = Buffer.from('urn:mspac:upn-dns-info');

/** The account, or why there is none. */
export type AccountReading =
  { readonly token: SecurityContextToken; readonly client: string } | { readonly refusal: string };

/**
 * Reads the account behind the source name that lies in the frame.
 *
 * A PAC that is there but not verified, or not well-formed, is a refusal and never "no PAC" (attacks D12 to D15).
 *
 * @param requirePac no PAC is a refusal too (attack D16)
 */
export function readAccount(frame: Frame, anonymous: boolean, requirePac: boolean): AccountReading {
  const { gss } = frame.library;
  const major = gss.displayName(frame.minor, frame.sourceNameHandle, frame.display, frame.pointer);
  const client = frame.takeDisplay()?.toString('utf8');
  const principal = client === undefined ? undefined : parsePrincipal(client);
  if (major !== GSS_S_COMPLETE || client === undefined || principal === undefined) {
    return { refusal: 'the client has no principal name' };
  }
  if (hasControlCharacter(client)) return { refusal: 'the name of the client holds control characters' };

  const logonInfo = attribute(frame, LOGON_INFO);
  if (logonInfo === undefined) {
    if (requirePac)
      return { refusal: `the ticket of ${client} has no PAC with logon information, and one is required` };
    return { token: accountOfPrincipal(principal, anonymous), client };
  }
  if (!logonInfo.authenticated) return { refusal: `the signature of the PAC in the ticket of ${client} is wrong` };
  try {
    const info = decodeKerbValidationInfo(logonInfo.value);
    const upnInfo = upnDnsInfo(frame);
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

function upnDnsInfo(frame: Frame): UpnDnsInfo | undefined {
  const found = attribute(frame, UPN_DNS_INFO);
  return found?.authenticated === true ? decodeUpnDnsInfo(found.value) : undefined;
}

interface NameAttribute {
  readonly value: Buffer;
  /** The library verified where it comes from. */
  readonly authenticated: boolean;
}

/** gss_get_name_attribute; undefined where the name does not have it. */
function attribute(frame: Frame, name: Uint8Array): NameAttribute | undefined {
  const { gss } = frame.library;
  frame.setValue(name);
  frame.moreValue = -1;
  frame.numberAValue = 0;
  // prettier-ignore
  const major = gss.getNameAttribute(
    frame.minor, frame.sourceNameHandle, frame.value, frame.numberA, frame.numberB, frame.display, frame.text,
    frame.more,
  );
  const value = frame.takeDisplay();
  frame.takeText();
  if (major !== GSS_S_COMPLETE || value === undefined) return undefined;
  return { value, authenticated: frame.numberAValue !== 0 };
}
