/** Who the client is: what a handler finds in `request.user`. */
import type { Group, SecurityContextToken } from '../sspi/security-context-token.ts';

export type { Group } from '../sspi/security-context-token.ts';

/** The identity of an authenticated client. Deeply frozen: the requests of one connection share it. */
export interface Identity {
  /** `DOMAIN\user` where a NetBIOS domain is known, else `user@REALM`, else the user name alone. */
  readonly name: string;
  /** Account name as its authority spells it. */
  readonly userName: string;
  /** NetBIOS name of the account's domain or computer. */
  readonly domain?: string;
  readonly userPrincipalName?: string;
  readonly displayName?: string;
  /** `S-1-…` of the user. */
  readonly sid?: string;
  /** Empty where the package knows none. */
  readonly groups: readonly Group[];
  /** The security package that really ran: `Kerberos`, `NTLM`, `Digest`. */
  readonly package: string;
}

/**
 * The name of an account by which the log knows it, whatever the application shows: `DOMAIN\user` where a NetBIOS domain is
 * known, else `user@REALM`, else the user name alone.
 */
export function accountName({
  domain,
  userName,
  userPrincipalName,
}: Pick<SecurityContextToken, 'domain' | 'userName' | 'userPrincipalName'>): string {
  return domain ? `${domain}\\${userName}` : (userPrincipalName ?? userName);
}

const noGroups: readonly Group[] = Object.freeze([]);

/**
 * An identity from the token of an established context.
 *
 * @param token of querySecurityContextToken
 * @param packageName the package that really ran
 * @returns undefined where the token is no identity: anonymous, Guest, or without a name (attacks C20 to C22)
 */
export function identityOf(token: SecurityContextToken, packageName: string): Identity | undefined {
  const { userName, domain, userPrincipalName, displayName, sid, groups } = token;
  if (token.isAnonymous || token.isGuest || userName === '') return undefined;
  return Object.freeze({
    name: accountName(token),
    userName,
    ...(domain ? { domain } : undefined),
    ...(userPrincipalName === undefined ? undefined : { userPrincipalName }),
    ...(displayName === undefined ? undefined : { displayName }),
    ...(sid === undefined ? undefined : { sid }),
    groups: groups.length === 0 ? noGroups : Object.freeze(groups.map((group) => Object.freeze({ ...group }))),
    package: packageName,
  });
}
