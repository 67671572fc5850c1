/** Whether the credentials that a client gives away are those of the account that it proved to be (attack F05). */
import { uppercase } from '../../formats/uppercase.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { ClaimedAccount } from '../../sspi/security-package.ts';

/**
 * @param given the names beside the password
 * @param token the account that was verified
 * @param claimed the account as the client wrote it when it was verified, if the package knows it
 */
export function isSameAccount(
  given: ClaimedAccount,
  token: SecurityContextToken,
  claimed: ClaimedAccount | undefined,
): boolean {
  if (given.userName === '') return false;
  if (claimed !== undefined && same(given.userName, claimed.userName) && same(given.domain, claimed.domain))
    return true;
  const { userName, domain } = separated(given);
  if (isDomainless(given.domain) && isPrincipal(given.userName, token)) return true;
  if (isDomainless(given.domain) && same(given.userName, token.userName)) return true;
  return same(userName, token.userName) && (isDomainless(domain) || isDomain(domain, token));
}

function same(one: string, other: string): boolean {
  return uppercase(one) === uppercase(other);
}

function isDomainless(domain: string): boolean {
  return domain === '' || domain === '.';
}

function isPrincipal(name: string, { userPrincipalName }: SecurityContextToken): boolean {
  return userPrincipalName !== undefined && same(name, userPrincipalName);
}

/** The NetBIOS name of the account's domain, or what is behind the `@` of its principal name. */
function isDomain(domain: string, token: SecurityContextToken): boolean {
  if (token.domain !== undefined && same(domain, token.domain)) return true;
  const { userPrincipalName = '' } = token;
  const at = userPrincipalName.lastIndexOf('@');
  return at >= 0 && same(domain, userPrincipalName.slice(at + 1));
}

/** Takes `DOMAIN\user` and `user@domain` apart where the client wrote no domain of its own. */
function separated({ userName, domain }: ClaimedAccount): ClaimedAccount {
  if (!isDomainless(domain)) return { userName, domain };
  const backslash = userName.indexOf('\\');
  if (backslash >= 0) return { userName: userName.slice(backslash + 1), domain: userName.slice(0, backslash) };
  const at = userName.lastIndexOf('@');
  // `alice@` names no domain, but is not `alice`.
  if (at < 0 || at === userName.length - 1) return { userName, domain };
  return { userName: userName.slice(0, at), domain: userName.slice(at + 1) };
}
