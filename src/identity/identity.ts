/** The identity of the client, which a handler finds in `request.user`. */
import { hasLoneSurrogate } from '../foundation/text.ts';
import type { Group, SecurityContextToken } from '../sspi/security-context-token.ts';

export type { Group } from '../sspi/security-context-token.ts';

/** The identity of an authenticated client. Deeply frozen: the requests of one connection share it. */
export interface Identity {
  /**
   * `DOMAIN\user` if a NetBIOS domain is known, else `user@REALM`, else the user name alone; option `nameFormat` has
   * others.
   */
  readonly name: string;
  /** Account name, spelled as its authority spells it. */
  readonly userName: string;
  /** NetBIOS name of the account's domain or computer. */
  readonly domain?: string;
  readonly userPrincipalName?: string;
  readonly displayName?: string;
  /** `S-1-…` of the user. */
  readonly sid?: string;
  /** Groups of the user. Empty if the package knows no groups. */
  readonly groups: readonly Group[];
  /** The security package that verified the client: `Kerberos`, `NTLM`, `Digest`. */
  readonly package: string;
}

/**
 * The name of an account in the log. It does not depend on the name that the application shows.
 *
 * @returns `DOMAIN\user` if a NetBIOS domain is known, else `user@REALM`, else the user name alone
 */
export function accountName({
  domain,
  userName,
  userPrincipalName,
}: Pick<SecurityContextToken, 'domain' | 'userName' | 'userPrincipalName'>): string {
  return domain ? `${domain}\\${userName}` : (userPrincipalName ?? userName);
}

/** How `Identity.name` is written. */
export type NameFormat = 'DOMAIN\\user' | 'user@REALM' | 'user';

/** The name of an account in a format; in another one where the account has no domain or no realm. */
function nameIn(format: NameFormat, token: Parameters<typeof accountName>[0]): string {
  const { domain, userName, userPrincipalName } = token;
  if (format === 'user') return userName;
  if (format === 'user@REALM') return userPrincipalName ?? (domain ? `${userName}@${domain}` : userName);
  return accountName(token);
}

const noGroups: readonly Group[] = Object.freeze([]);

/** A group that is frozen already is used as it is: on Windows its name may come later, which a copy would not see. */
function frozenGroup(group: Group): Group {
  return Object.isFrozen(group) ? group : Object.freeze({ ...group });
}

/**
 * Makes an identity from the token of an established context.
 *
 * @param token the result of querySecurityContextToken
 * @param packageName the package that verified the client
 * @param format of the name
 * @returns a frozen identity; undefined if the token is anonymous, Guest or has no name (attacks C20 to C22), or if a
 *   name in it is not well-formed text: written as UTF-8, it could be that of another account (attack D22)
 */
export function identityOf(
  token: SecurityContextToken,
  packageName: string,
  format: NameFormat = 'DOMAIN\\user',
): Identity | undefined {
  const { userName, domain, userPrincipalName, displayName, sid, groups } = token;
  if (token.isAnonymous || token.isGuest || userName === '') return undefined;
  if ([userName, domain, userPrincipalName].some((name) => name !== undefined && hasLoneSurrogate(name)))
    return undefined;
  return Object.freeze({
    name: nameIn(format, token),
    userName,
    ...(domain ? { domain } : undefined),
    ...(userPrincipalName === undefined ? undefined : { userPrincipalName }),
    ...(displayName === undefined ? undefined : { displayName }),
    ...(sid === undefined ? undefined : { sid }),
    groups: groups.length === 0 ? noGroups : Object.freeze(groups.map(frozenGroup)),
    package: packageName,
  });
}
