/** Accounts given in the options: for tests, demonstrations and small servers of their own. */
import { randomBytes } from 'node:crypto';
import { hashedA1, verifyDigestResponse } from '../crypto/digest-response.ts';
import { ntowfv1 } from '../crypto/ntlm-keys.ts';
import { OptionError } from '../foundation/errors.ts';
import { uppercase } from '../formats/uppercase.ts';
import type { Group } from '../sspi/security-context-token.ts';
import type { Account, AccountSource, DigestAccepted, DigestLogon, Refused } from './account-source.ts';
import { AccountTable } from './account-table.ts';
import { verifyNtlmResponse } from './verify-ntlm.ts';
import { hasLoneSurrogate } from '../foundation/text.ts';

/** One account: a password, or the NT hash of one. */
export interface MemoryAccount {
  readonly userName: string;
  /** NetBIOS domain; left out: the account is the server's own. */
  readonly domain?: string | undefined;
  /** In clear; not empty. Exactly one of `password` and `ntHash` is given. */
  readonly password?: string | undefined;
  /** NTOWFv1 as 16 bytes or 32 hexadecimal digits. Verifies NTLM but not Digest. */
  readonly ntHash?: string | Uint8Array | undefined;
  /** Such as `alice@corp.example`: clients may give it as their user name. No two accounts have the same. */
  readonly userPrincipalName?: string | undefined;
  readonly displayName?: string | undefined;
  /** `S-1-…`. */
  readonly sid?: string | undefined;
  /** Groups, or just their names. */
  readonly groups?: readonly (string | Group)[] | undefined;
}

/** SE_GROUP_MANDATORY, ENABLED_BY_DEFAULT and ENABLED of winnt.h. */
const GROUP_ATTRIBUTES = 7;
/** UNLEN of lmcons.h. */
const MAXIMUM_NAME_UNITS = 256;
/** NTOWFv1 of the empty password: an account with it would be open to everybody (attack C23). */
const EMPTY_PASSWORD_HASH = ntowfv1('');

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
    if (typeof given !== 'object' || given === null) {
      throw new OptionError(at, 'is not an account', 'Give { userName, password }.');
    }
    const { account, password, ntHash } = readAccount(at, given);
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
    const stored = { account, password, ntHash };
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

const fieldNames: readonly (keyof MemoryAccount)[] = [
  'userName',
  'domain',
  'password',
  'ntHash',
  'userPrincipalName',
  'displayName',
  'sid',
  'groups',
];

type Fields = Readonly<Partial<Record<keyof MemoryAccount, unknown>>>;

function readAccount(
  at: string,
  given: Fields,
): { readonly account: Account; readonly password: string | undefined; readonly ntHash: Uint8Array } {
  for (const name of Object.keys(given)) {
    if (!fieldNames.includes(name as keyof MemoryAccount)) {
      throw new OptionError(`${at}.${name}`, 'is not a field of an account', `There are: ${fieldNames.join(', ')}.`);
    }
  }
  const userName = readName(`${at}.userName`, given.userName);
  const domain = given.domain === undefined ? undefined : readName(`${at}.domain`, given.domain);
  const account: Account = Object.freeze({
    userName,
    domain,
    userPrincipalName: readText(`${at}.userPrincipalName`, given.userPrincipalName),
    displayName: readText(`${at}.displayName`, given.displayName),
    sid: readSid(`${at}.sid`, given.sid),
    groups: readGroups(`${at}.groups`, given.groups),
  });
  if ('password' in given && 'ntHash' in given && given.password !== undefined && given.ntHash !== undefined) {
    throw new OptionError(at, 'has a password and an ntHash', 'Give one of the two.');
  }
  if (given.ntHash !== undefined) {
    return { account, password: undefined, ntHash: readNtHash(`${at}.ntHash`, given.ntHash) };
  }
  const password = readPassword(`${at}.password`, given.password);
  return { account, password: password.normalize('NFC'), ntHash: ntowfv1(password) };
}

function readName(option: string, value: unknown): string {
  if (typeof value !== 'string') throw new OptionError(option, 'is not a string', 'Give the name of the account.');
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const unusable = value === '' || value.length > MAXIMUM_NAME_UNITS || /[\u0000-\u001f\u007f-\u009f\\]/u.test(value);
  if (unusable || hasLoneSurrogate(value)) {
    throw new OptionError(
      option,
      `is ${JSON.stringify(value)}`,
      'Give 1 to 256 characters without backslash; the domain has a field of its own.',
    );
  }
  return value;
}

function readText(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '') throw new OptionError(option, 'is not a text', 'Leave it out.');
  return value;
}

function readSid(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^S-1-\d+(-\d+){1,15}$/u.test(value)) {
    throw new OptionError(
      option,
      `is ${typeof value === 'string' ? JSON.stringify(value) : `a value of type ${typeof value}`}`,
      'Give a security identifier such as S-1-5-21-1-2-3-1000.',
    );
  }
  return value;
}

function readGroups(option: string, value: unknown): readonly Group[] {
  if (value === undefined) return Object.freeze([]);
  if (!Array.isArray(value)) throw new OptionError(option, 'is not a list', 'Give names or { name, sid }.');
  return Object.freeze(value.map((group: unknown, index) => readGroup(`${option}[${index}]`, group)));
}

function readGroup(option: string, value: unknown): Group {
  const given: unknown = typeof value === 'string' ? { name: value } : value;
  if (typeof given !== 'object' || given === null) throw new OptionError(option, 'is not a group', 'Give its name.');
  const { name, sid, attributes, denyOnly } = given as Partial<Record<keyof Group, unknown>>;
  const readable = readText(`${option}.name`, name);
  const identifier = readSid(`${option}.sid`, sid);
  if (readable === undefined && identifier === undefined) {
    throw new OptionError(option, 'has neither name nor sid', 'Give one of them.');
  }
  return Object.freeze({
    ...(identifier === undefined ? undefined : { sid: identifier }),
    ...(readable === undefined ? undefined : { name: readable }),
    attributes: Number.isSafeInteger(attributes) ? (attributes as number) : GROUP_ATTRIBUTES,
    denyOnly: denyOnly === true,
  });
}

function readPassword(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') {
    const problem = value === '' ? 'is empty' : value === undefined ? 'is missing' : 'is not a string';
    throw new OptionError(option, problem, 'Every account needs a password or an ntHash.');
  }
  return value;
}

function readNtHash(option: string, value: unknown): Uint8Array {
  const isHex = typeof value === 'string' && /^[0-9a-f]{32}$/iu.test(value);
  const hash = isHex ? Buffer.from(value, 'hex') : value;
  if (!(hash instanceof Uint8Array) || hash.byteLength !== 16) {
    throw new OptionError(option, 'is not an NT hash', 'Give 16 bytes or 32 hexadecimal digits.');
  }
  if (Buffer.compare(hash, EMPTY_PASSWORD_HASH) === 0) {
    throw new OptionError(option, 'is the hash of the empty password', 'Give the account a password.');
  }
  return Uint8Array.from(hash);
}
