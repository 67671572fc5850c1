/** Makes the token of a security context from the account that a source accepted. */
import { OptionError } from '../foundation/errors.ts';
import type { Group, SecurityContextToken } from '../sspi/security-context-token.ts';
import { readAccount } from './account-fields.ts';
import type { Account } from './account-source.ts';

/** Guest of a domain or of a computer, MS-DTYP 2.4.2.4 (RID 501). */
const GUEST = /^S-1-5-21-(?:\d+-){3}501$/;
/** ANONYMOUS LOGON and NULL, MS-DTYP 2.4.2.4. */
const anonymousSids: readonly (string | undefined)[] = ['S-1-5-7', 'S-1-0-0'];

/**
 * The token of an accepted account, deeply frozen.
 *
 * @param account as the source gave it; a JavaScript source may give fields of any type
 * @param serverDomain NetBIOS domain of the server, for an account without one; undefined: such an account has none
 * @throws OptionError that names a field that cannot be used
 */
export function accountToken(account: Account, serverDomain: string | undefined): SecurityContextToken {
  const {
    userName,
    domain = serverDomain,
    userPrincipalName,
    displayName,
    sid,
    groups = noGroups,
  } = readAccount(account);
  return Object.freeze({
    userName,
    ...(domain === undefined ? undefined : { domain }),
    ...(userPrincipalName === undefined ? undefined : { userPrincipalName }),
    ...(displayName === undefined ? undefined : { displayName }),
    ...(sid === undefined ? undefined : { sid }),
    groups,
    isAnonymous: anonymousSids.includes(sid),
    isGuest: sid !== undefined && GUEST.test(sid),
  });
}

const noGroups: readonly Group[] = Object.freeze([]);

/**
 * Why an account that a source accepted cannot be used, for the log of the server.
 *
 * @param error what accountToken threw
 * @returns undefined for another error than those that accountToken throws on purpose
 */
export function accountProblem(error: unknown): string | undefined {
  if (!(error instanceof OptionError)) return undefined;
  return `the account source gave an account that cannot be used: ${error.option} ${error.problem}. ${error.cure}`;
}
