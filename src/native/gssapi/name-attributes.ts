/** Reads the name and the PAC of the client from an accepted context, and makes its account. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { decodeKerbValidationInfo } from '../../formats/kerberos/kerb-validation-info.ts';
import type { ApRequestHeader } from '../../formats/kerberos/kerberos-token.ts';
import { decodePac, decodeUpnDnsInfo, PAC_LOGON_INFO, PAC_UPN_DNS_INFO } from '../../formats/kerberos/pac.ts';
import { accountOfPac, accountOfPrincipal } from '../../identity/kerberos-account.ts';
import { reason } from '../../identity/reasons/reason.ts';
import type { GssapiExtensions } from './call/extensions.ts';
import type { Frame } from './call/frame.ts';
import type { KerberosSettings } from './call/kerberos-settings.ts';
import type { TicketAccount } from './ticket-accounts.ts';
import { parsePrincipal } from '../../formats/kerberos/principal.ts';
import { hasControlCharacter } from '../../foundation/text.ts';

/** The account, or why the client is refused. */
export type AccountResult =
  | (TicketAccount & {
      /** Whether the ticket has a PAC. It was then verified. */
      readonly hasPac: boolean;
    })
  | { readonly refusal: string };

/**
 * Reads the account of the client from the source name and the context in the frame.
 *
 * If the ticket has a PAC that is not verified or not well-formed, the client is refused. Such a ticket is never
 * treated as one without a PAC (attacks D12 to D15).
 *
 * @param request the AP-REQ that was accepted
 * @param anonymous whether the flags of the context say that the client is anonymous
 * @param settings `requirePac`: whether a client without a PAC is refused too (attack D16). `ignorePac`: whether
 *   nothing is taken from the PAC (attack D17)
 */
export function readAccount(
  frame: Frame,
  extensions: GssapiExtensions,
  request: ApRequestHeader,
  anonymous: boolean,
  settings: Pick<KerberosSettings, 'requirePac' | 'ignorePac'>,
): AccountResult {
  let client: string | undefined;
  try {
    client = extensions.clientName(frame, request);
  } catch (error) {
    if (!(error instanceof MalformedTokenError)) throw error;
    return { refusal: reason('client-name-not-utf8') };
  }
  const service = extensions.serviceName(frame);
  if (service === undefined) return { refusal: reason('library-hides-service') };
  if (client === undefined) return { refusal: reason('client-has-no-name') };
  if (hasControlCharacter(client)) return { refusal: reason('client-name-unsafe') };

  const pac = extensions.pac(frame, client);
  if (pac === 'unverified') {
    return { refusal: reason('pac-unverified', { client }) };
  }
  return accountOf({ client, service, anonymous }, pac, settings);
}

/** Makes the account of a client. @param pac the verified PAC; undefined if the ticket has none */
function accountOf(
  { client, service, anonymous }: { readonly client: string; readonly service: string; readonly anonymous: boolean },
  pac: Uint8Array | undefined,
  { requirePac, ignorePac }: Pick<KerberosSettings, 'requirePac' | 'ignorePac'>,
): AccountResult {
  const hasPac = pac !== undefined;
  const principal = parsePrincipal(client);
  const realm = parsePrincipal(service)?.realm;
  if (principal === undefined || realm === undefined) return { refusal: reason('client-has-no-name') };
  try {
    const buffers = pac === undefined || ignorePac ? [] : decodePac(pac);
    const logonInfo = buffers.find(({ type }) => type === PAC_LOGON_INFO);
    if (logonInfo === undefined) {
      if (requirePac) return { refusal: reason('pac-missing', { client }) };
      return { token: accountOfPrincipal(principal, anonymous), client, service, hasPac };
    }
    const info = decodeKerbValidationInfo(logonInfo.data);
    const upnDnsInfo = buffers.find(({ type }) => type === PAC_UPN_DNS_INFO);
    const upnInfo = upnDnsInfo === undefined ? undefined : decodeUpnDnsInfo(upnDnsInfo.data);
    // Names of another realm are its own affair: only its SIDs are taken. Keytabs have realms in any case.
    const isForeign = principal.realm.toLowerCase() !== realm.toLowerCase();
    const token = accountOfPac(principal, isForeign, { info, upnInfo }, anonymous);
    const names = [token.userName, token.domain, token.displayName, token.userPrincipalName];
    if (names.some((name) => name !== undefined && hasControlCharacter(name))) {
      return { refusal: reason('pac-invalid', { client, detail: 'a name in it holds control characters' }) };
    }
    return { token, client, service, hasPac };
  } catch (error) {
    if (!(error instanceof MalformedTokenError)) throw error;
    return { refusal: reason('pac-invalid', { client, detail: error.message }) };
  }
}
