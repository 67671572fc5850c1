/** Accounts given in the options: for tests, demonstrations and small servers of their own. */
import { randomBytes } from 'node:crypto';
import { hashedA1, verifyDigestResponse } from '../crypto/digest-response.ts';
import { OptionError } from '../foundation/errors.ts';
import { uppercase } from '../formats/uppercase.ts';
import type { AccountSource, DigestAccepted, DigestLogon, Refused } from './account-source.ts';
import { AccountTable } from './account-table.ts';
import { readMemoryAccount } from './memory-account.ts';
import type { MemoryAccount } from './memory-account.ts';
import { verifyNtlmResponse } from './verify-ntlm.ts';

export type { MemoryAccount } from './memory-account.ts';

const refused: Refused = Object.freeze({ result: 'refused' });

/**
 * An account source over a fixed list. It verifies NTLM, and Digest where at least one account has a password.
 *
 * @throws OptionError for an account without a usable name or secret, or for two of the same name and domain; the message
 *   names the index and the field and never holds a secret
 */
export function memoryAccounts(accounts: readonly MemoryAccount[]): AccountSource {
  if (!Array.isArray(accounts) || accounts.length === 0) {
    throw new OptionError('accounts', 'is not a list of accounts', 'Give at least one { userName, password }.');
  }
  const table = new AccountTable();
  // charset=UTF-8 of the challenge asks clients of Digest for NFC (RFC 7616 section 4, attack E14). NTLM has names as typed.
  const prepared = new AccountTable((name) => uppercase(name.normalize('NFC')));
  let passwords = 0;
  for (const [index, given] of (accounts as readonly unknown[]).entries()) {
    const at = `accounts[${index}]`;
    const stored = readMemoryAccount(given, at);
    const { account, password } = stored;
    const { userPrincipalName } = account;
    if (userPrincipalName !== undefined && prepared.hasPrincipal(userPrincipalName)) {
      const problem = `is there twice: ${JSON.stringify(userPrincipalName)}`;
      throw new OptionError(
        `${at}.userPrincipalName`,
        problem,
        'Names are compared without case, and in Unicode form NFC.',
      );
    }
    if (password !== undefined) passwords++;
    // Names that are the same here are the same there, so what this one takes the other one takes.
    if (!prepared.add(stored) || !table.add(stored)) {
      throw new OptionError(
        `${at}.userName`,
        `is there twice: ${JSON.stringify(account.userName)}`,
        'Names are compared without case, and in Unicode form NFC.',
      );
    }
  }
  const source: AccountSource = {
    description: `memoryAccounts (${table.size} account${table.size === 1 ? '' : 's'})`,
    verifyNtlm: (logon) => verifyNtlmResponse(table.find(logon), logon),
  };
  if (passwords === 0) return Object.freeze(source);
  return Object.freeze({ ...source, verifyDigest: (logon: DigestLogon) => verifyDigest(prepared, logon) });
}

/** Stands in for the password of an account that is not there. */
const dummyPassword = randomBytes(16).toString('hex');

function verifyDigest(table: AccountTable, logon: DigestLogon): DigestAccepted | Refused {
  const { algorithm, userName, realm, serverDomain, response } = logon;
  // `DOMAIN\user` names a domain for the look-up only: A1 has the name as it was sent.
  const split = userName.indexOf('\\');
  const stored = table.find({
    userName: userName.slice(split + 1),
    domain: split < 0 ? '' : userName.slice(0, split),
    serverDomain,
    serverName: serverDomain,
  });
  const a1 = hashedA1(algorithm, userName, realm, stored?.password ?? dummyPassword);
  const right = verifyDigestResponse(a1, logon, response);
  if (!right || stored?.password === undefined) return refused;
  return { result: 'accepted', account: stored.account };
}
