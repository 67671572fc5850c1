/** Accounts given in the options: for tests, demonstrations and small stand-alone servers. */
import { randomBytes } from 'node:crypto';
import { hashedA1, verifyDigestResponse } from '../crypto/digest-response.ts';
import { OptionError } from '../foundation/errors.ts';
import { uppercase } from '../formats/uppercase.ts';
import type { AccountSource, DigestAccepted, DigestLogon, Refused, ServerNames } from './account-source.ts';
import { AccountTable } from './account-table.ts';
import type { StoredAccount } from './account-table.ts';
import { readMemoryAccount } from './memory-account.ts';
import type { MemoryAccount } from './memory-account.ts';
import { refusalOf } from './refusals.ts';
import { verifyNtlmResponse } from './verify-ntlm.ts';

export type { MemoryAccount } from './memory-account.ts';

/**
 * An account source over a fixed list. It verifies NTLM, and Digest where at least one account has a password.
 *
 * An account without a domain is one of the server's domain. So `alice` and `CORP\alice` are refused when a server of
 * the domain CORP starts with them.
 *
 * @throws OptionError for an account without a usable name or secret, and for two accounts of the same name and domain,
 *   the same userPrincipalName or the same SID. The message names the index and the field and never holds a secret
 */
export function memoryAccounts(accounts: readonly MemoryAccount[]): AccountSource {
  if (!Array.isArray(accounts) || accounts.length === 0) {
    throw new OptionError('accounts', 'is not a list of accounts', 'Give at least one { userName, password }.');
  }
  const ntlmTable = new AccountTable();
  // With charset=UTF-8 a Digest challenge asks for names in Unicode form NFC (RFC 7616 section 4, attack E14). NTLM
  // clients send names as they were typed.
  const digestTable = new AccountTable((name) => uppercase(name.normalize('NFC')));
  const all: StoredAccount[] = [];
  for (const [index, given] of (accounts as readonly unknown[]).entries()) {
    const at = `accounts[${index}]`;
    const stored = readMemoryAccount(given, at);
    const { account } = stored;
    const { userPrincipalName, sid } = account;
    if (sid !== undefined && all.some((other) => other.account.sid === sid)) {
      throw new OptionError(`${at}.sid`, `is used by two accounts: ${sid}`, 'Give each account its own.');
    }
    if (userPrincipalName !== undefined && digestTable.hasPrincipal(userPrincipalName)) {
      const problem = `is used by two accounts: ${JSON.stringify(userPrincipalName)}`;
      const cure = 'Give each account another one; case and Unicode form make no difference.';
      throw new OptionError(`${at}.userPrincipalName`, problem, cure);
    }
    // Names that are equal in NTLM are also equal in Digest. So the NTLM table takes every account that this one takes.
    if (!digestTable.add(stored) || !ntlmTable.add(stored)) {
      const problem = `is used by two accounts: ${JSON.stringify(account.userName)}`;
      const cure = 'Give each account of a domain another name; case and Unicode form make no difference.';
      throw new OptionError(`${at}.userName`, problem, cure);
    }
    all.push(stored);
  }
  const checkServerNames = (names: ServerNames): void => {
    const same = digestTable.sameAt(names);
    if (same === undefined) return;
    const [first, second] = same.map((stored) => `accounts[${all.indexOf(stored)}]`) as [string, string];
    const name = `${names.serverDomain}\\${same[1].account.userName}`;
    const problem = `makes "${name}" a second time, after ${first}: no domain means the domain of the server`;
    throw new OptionError(`${second}.userName`, problem, 'Leave one of the two out, or give one another name.');
  };
  const source: AccountSource = {
    description: `memoryAccounts (${ntlmTable.size} account${ntlmTable.size === 1 ? '' : 's'})`,
    checkServerNames,
    verifyNtlm: (logon) => verifyNtlmResponse(ntlmTable.find(logon), logon),
  };
  if (all.every(({ password }) => password === undefined)) return Object.freeze(source);
  return Object.freeze({ ...source, verifyDigest: (logon: DigestLogon) => verifyDigest(digestTable, logon) });
}

/** Used for an account that does not exist or has no password, so that the same hashes are computed for it. */
const dummyPassword = randomBytes(16).toString('hex');

function verifyDigest(table: AccountTable, logon: DigestLogon): DigestAccepted | Refused {
  const { algorithm, userName, realm, response } = logon;
  // The domain of `DOMAIN\user` is for the look-up only: A1 takes the name as the client sent it.
  const stored = table.find({ ...logon, domain: '' });
  const a1 = hashedA1(algorithm, userName, realm, stored?.password ?? dummyPassword);
  const isValid = verifyDigestResponse(a1, logon, response);
  if (!isValid || stored?.password === undefined) return refusalOf(stored, stored?.password);
  return { result: 'accepted', account: stored.account };
}
