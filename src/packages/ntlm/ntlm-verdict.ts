/** What an account source said, read strictly: anything but a whole yes is a no. */
import type { Account } from '../../accounts/account-source.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import { SEC_E_LOGON_DENIED, SEC_E_NO_AUTHENTICATING_AUTHORITY } from '../../sspi/status.ts';

/** A yes, with a copy of the key. */
export interface Judged {
  readonly account: Account;
  /** 16 bytes. */
  readonly sessionBaseKey: Uint8Array;
}

/** A no: its status, and why nobody could be asked, where that is so. */
export interface Unjudged {
  readonly status: number;
  readonly reason?: string | undefined;
}

const denied: Unjudged = Object.freeze({ status: SEC_E_LOGON_DENIED });

/**
 * Reads a verdict.
 *
 * @param verdict whatever the source returned
 * @returns the account and key, or the status that refuses
 */
export function readVerdict(verdict: unknown): Judged | Unjudged {
  if (typeof verdict !== 'object' || verdict === null) return denied;
  const { verdict: word, account, sessionBaseKey, reason } = verdict as Record<string, unknown>;
  if (word === 'unavailable') {
    return { status: SEC_E_NO_AUTHENTICATING_AUTHORITY, reason: typeof reason === 'string' ? reason : undefined };
  }
  if (word !== 'accepted') return denied;
  if (!(sessionBaseKey instanceof Uint8Array) || sessionBaseKey.byteLength !== 16) return denied;
  if (typeof account !== 'object' || account === null) return denied;
  const { userName, sid } = account as Account;
  if (typeof userName !== 'string' || userName === '') return denied;
  if (sid !== undefined && isNobody(sid)) return denied;
  return { account: account as Account, sessionBaseKey: new Uint8Array(sessionBaseKey) };
}

/** Guest of a domain or machine (RID 501), ANONYMOUS LOGON and NULL: never an identity (attacks C20, C22). */
function isNobody(sid: string): boolean {
  return sid === 'S-1-5-7' || sid === 'S-1-0-0' || /^S-1-5-21-.*-501$/iu.test(sid);
}

/**
 * The token of an account, deeply frozen.
 *
 * @param domain for an account without one
 */
export function tokenOf(account: Account, domain: string): SecurityContextToken {
  const { userPrincipalName, displayName, sid } = account;
  return Object.freeze({
    userName: account.userName,
    domain: account.domain ?? domain,
    ...(userPrincipalName === undefined ? undefined : { userPrincipalName }),
    ...(displayName === undefined ? undefined : { displayName }),
    ...(sid === undefined ? undefined : { sid }),
    groups: Object.freeze((account.groups ?? []).map((group) => Object.freeze({ ...group }))),
    isAnonymous: false,
    isGuest: false,
  });
}
