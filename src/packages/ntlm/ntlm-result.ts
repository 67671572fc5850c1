/** Reads the result of an account source. Everything except a complete `accepted` result is a refusal. */
import type { Account } from '../../accounts/account-source.ts';
import { accountProblem, accountToken } from '../../accounts/account-token.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import { SEC_E_INTERNAL_ERROR, SEC_E_LOGON_DENIED, SEC_E_NO_AUTHENTICATING_AUTHORITY } from '../../sspi/status.ts';

/** An accepted account, with a copy of the key. */
export interface Verified {
  readonly token: SecurityContextToken;
  /** 16 bytes. */
  readonly sessionBaseKey: Uint8Array;
}

/** A refusal: its status, and the reason if the source told one, or gave an account that cannot be used. */
export interface Unverified {
  readonly status: number;
  readonly reason?: string | undefined;
}

const denied: Unverified = Object.freeze({ status: SEC_E_LOGON_DENIED });

/**
 * Reads a result.
 *
 * @param result what the source returned; any value
 * @param domain NetBIOS domain of the server, for an account without one
 * @returns the account and key, or the status that refuses
 */
export function readResult(result: unknown, domain: string): Verified | Unverified {
  if (typeof result !== 'object' || result === null) return denied;
  const { result: word, account, sessionBaseKey, reason } = result as Record<string, unknown>;
  if (word === 'unavailable') {
    return { status: SEC_E_NO_AUTHENTICATING_AUTHORITY, reason: typeof reason === 'string' ? reason : undefined };
  }
  // For the log alone. A reason that is not a string may hold anything.
  if (word === 'refused' && typeof reason === 'string') return { status: SEC_E_LOGON_DENIED, reason };
  if (word !== 'accepted') return denied;
  if (!(sessionBaseKey instanceof Uint8Array) || sessionBaseKey.byteLength !== 16) return denied;
  if (typeof account !== 'object' || account === null) return denied;
  const { userName } = account as Account;
  if (typeof userName !== 'string' || userName === '') return denied;
  let token: SecurityContextToken;
  try {
    token = accountToken(account as Account, domain);
  } catch (error) {
    const problem = accountProblem(error);
    if (problem === undefined) throw error;
    return { status: SEC_E_INTERNAL_ERROR, reason: problem };
  }
  // Guest, ANONYMOUS LOGON and NULL are never an identity (attacks C20, C22).
  if (token.isAnonymous || token.isGuest) return denied;
  return { token, sessionBaseKey: new Uint8Array(sessionBaseKey) };
}
