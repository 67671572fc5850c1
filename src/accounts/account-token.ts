/** Makes the token of a security context from the account that a source accepted. */
import type { SecurityContextToken } from '../sspi/security-context-token.ts';
import type { Account } from './account-source.ts';

/** Guest of a domain or of a computer, MS-DTYP 2.4.2.4 (RID 501). */
const GUEST = /^S-1-5-21-(?:\d+-){3}501$/;
/** ANONYMOUS LOGON and NULL, MS-DTYP 2.4.2.4. */
const anonymousSids: readonly (string | undefined)[] = ['S-1-5-7', 'S-1-0-0'];

/**
 * The token of an accepted account, deeply frozen.
 *
 * @param domain NetBIOS domain of the server, for an account without one
 */
export function accountToken(account: Account, domain: string): SecurityContextToken {
  const { userName, userPrincipalName, displayName, sid, groups = [] } = account;
  return Object.freeze({
    userName,
    domain: account.domain === undefined || account.domain === '' ? domain : account.domain,
    ...(userPrincipalName === undefined ? undefined : { userPrincipalName }),
    ...(displayName === undefined ? undefined : { displayName }),
    ...(sid === undefined ? undefined : { sid }),
    groups: Object.freeze(groups.map((group) => Object.freeze({ ...group }))),
    isAnonymous: anonymousSids.includes(sid),
    isGuest: sid !== undefined && GUEST.test(sid),
  });
}
