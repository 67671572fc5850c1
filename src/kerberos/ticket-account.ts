/** The account of an accepted ticket: from its principal, and from its verified PAC. */
import { MalformedTokenError } from '../foundation/errors.ts';
import { hasControlCharacter } from '../foundation/text.ts';
import { decodeKerbValidationInfo } from '../formats/kerberos/kerb-validation-info.ts';
import { decodePac, decodeUpnDnsInfo, PAC_LOGON_INFO, PAC_UPN_DNS_INFO } from '../formats/kerberos/pac.ts';
import { parsePrincipal } from '../formats/kerberos/principal.ts';
import { accountOfPac, accountOfPrincipal } from '../identity/kerberos-account.ts';
import type { SecurityContextToken } from '../sspi/security-context-token.ts';

/** The account of a ticket. */
export interface TicketAccount {
  readonly token: SecurityContextToken;
  /** `user@REALM`. */
  readonly client: string;
  /** The principal whose key decrypted the ticket: `HTTP/host@REALM`. */
  readonly service: string;
}

/** What is taken from a PAC. */
export interface PacPolicy {
  /** Refuse tickets without a PAC (attack D16). */
  readonly requirePac: boolean;
  /** Take nothing from the PAC (attack D17). */
  readonly ignorePac: boolean;
}

/** The account, or why the client is refused. */
export type AccountResult =
  | (TicketAccount & {
      /** Whether the ticket has a PAC. It was then verified. */
      readonly hasPac: boolean;
    })
  | { readonly refusal: string };

/** Makes the account of a client. @param pac the verified PAC; undefined if the ticket has none */
export function accountOf(
  { client, service, anonymous }: { readonly client: string; readonly service: string; readonly anonymous: boolean },
  pac: Uint8Array | undefined,
  { requirePac, ignorePac }: PacPolicy,
): AccountResult {
  const hasPac = pac !== undefined;
  const principal = parsePrincipal(client);
  const realm = parsePrincipal(service)?.realm;
  if (principal === undefined || realm === undefined) return { refusal: 'the client has no principal name' };
  try {
    const buffers = pac === undefined || ignorePac ? [] : decodePac(pac);
    const logonInfo = buffers.find(({ type }) => type === PAC_LOGON_INFO);
    if (logonInfo === undefined) {
      if (requirePac)
        return { refusal: `the ticket of ${client} has no PAC with logon information, and one is required` };
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
      return { refusal: `a name in the PAC of ${client} holds control characters` };
    }
    return { token, client, service, hasPac };
  } catch (error) {
    if (!(error instanceof MalformedTokenError)) throw error;
    return { refusal: `the PAC of ${client} is malformed: ${error.message}` };
  }
}
