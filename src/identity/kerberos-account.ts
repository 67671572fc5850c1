/** The account of a Kerberos context: from the PAC of the ticket if it has one, else from the principal name alone. */
import type { KerbValidationInfo } from '../formats/kerberos/kerb-validation-info.ts';
import type { UpnDnsInfo } from '../formats/kerberos/pac.ts';
import type { Principal } from '../formats/kerberos/principal.ts';
import { sidInDomain, wellKnownSidName } from '../formats/sid.ts';
import type { Group, SecurityContextToken } from '../sspi/security-context-token.ts';

/** SE_GROUP_MANDATORY, SE_GROUP_ENABLED_BY_DEFAULT, SE_GROUP_ENABLED (winnt.h). */
const SE_GROUP_DEFAULT = 7;
/** SE_GROUP_ENABLED. */
const SE_GROUP_ENABLED = 4;
/** SE_GROUP_USE_FOR_DENY_ONLY. */
const SE_GROUP_USE_FOR_DENY_ONLY = 0x10;
/** DOMAIN_USER_RID_GUEST, MS-DTYP 2.4.2.4. */
const RID_GUEST = 501;
/** The anonymous principal, RFC 8062 section 3. */
const ANONYMOUS = 'WELLKNOWN/ANONYMOUS';
const ANONYMOUS_SID = 'S-1-5-7';

/**
 * Makes the account of a principal whose ticket has no PAC.
 *
 * @param anonymous whether the flags of the context say that the client is anonymous
 */
export function accountOfPrincipal(principal: Principal, anonymous: boolean): SecurityContextToken {
  return Object.freeze({
    userName: principal.name,
    userPrincipalName: `${principal.name}@${principal.realm}`,
    groups: Object.freeze([]),
    isAnonymous: anonymous || principal.name === ANONYMOUS,
    isGuest: false,
  });
}

/** Marks an account as anonymous. For a context whose flags say so; the flags count even if the ticket has a name. */
export function anonymousAccount(account: SecurityContextToken): SecurityContextToken {
  return account.isAnonymous ? account : Object.freeze({ ...account, isAnonymous: true });
}

/**
 * Makes the account of a verified PAC, as MS-KILE section 3.4.5.3 describes it. Its groups are those of the domain, the
 * primary group, the extra SIDs and the resource groups. Each SID is listed once, with the attributes of its first
 * entry.
 *
 * @param principal the client principal of the ticket; used where the PAC has no name
 * @param isForeign whether the client is of another realm than the service. The KDC of that realm can write any name into
 *   a PAC, also the NetBIOS name of the service's domain. The account then is `user@REALM`, and groups have SIDs alone
 * @param pac KERB_VALIDATION_INFO, and UPN_DNS_INFO if the PAC has it
 * @param anonymous whether the flags of the context say that the client is anonymous
 */
export function accountOfPac(
  principal: Principal,
  isForeign: boolean,
  { info, upnInfo }: { readonly info: KerbValidationInfo; readonly upnInfo?: UpnDnsInfo | undefined },
  anonymous: boolean,
): SecurityContextToken {
  const { logonDomainId, logonDomainName, effectiveName, fullName, userId } = info;
  const domain = { sid: logonDomainId, name: logonDomainName };
  const groups = new Map<string, Group>();
  const add = (sid: string, attributes: number): void => {
    if (groups.has(sid)) return;
    const name = isForeign ? undefined : wellKnownSidName(sid, domain);
    // A group that is not enabled must not grant access either.
    const denyOnly = (attributes & SE_GROUP_USE_FOR_DENY_ONLY) !== 0 || (attributes & SE_GROUP_ENABLED) === 0;
    groups.set(sid, Object.freeze({ sid, ...(name === undefined ? undefined : { name }), attributes, denyOnly }));
  };
  for (const { relativeId, attributes } of info.groupIds) add(sidInDomain(logonDomainId, relativeId), attributes);
  add(sidInDomain(logonDomainId, info.primaryGroupId), SE_GROUP_DEFAULT);
  for (const { sid, attributes } of info.extraSids) add(sid, attributes);
  for (const { relativeId, attributes } of info.resourceGroupIds) {
    add(sidInDomain(info.resourceGroupDomainSid ?? logonDomainId, relativeId), attributes);
  }
  // If UserId is 0, the first extra SID is that of the account (MS-PAC section 2.5). It may be from another domain.
  const sid = userId === 0 ? info.extraSids[0]?.sid : sidInDomain(logonDomainId, userId);
  return Object.freeze({
    userName: isForeign || effectiveName === '' ? principal.name : effectiveName,
    ...(isForeign || logonDomainName === '' ? undefined : { domain: logonDomainName }),
    userPrincipalName:
      isForeign || upnInfo === undefined || upnInfo.upn === '' ? `${principal.name}@${principal.realm}` : upnInfo.upn,
    ...(fullName === '' ? undefined : { displayName: fullName }),
    ...(sid === undefined ? undefined : { sid }),
    groups: Object.freeze([...groups.values()]),
    isAnonymous: anonymous || principal.name === ANONYMOUS || sid === ANONYMOUS_SID,
    isGuest: userId === RID_GUEST,
  });
}
