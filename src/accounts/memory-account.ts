/** One account of memoryAccounts: its options, and how they are read. */
import { ntowfv1 } from '../crypto/ntlm-keys.ts';
import { isSid } from '../formats/sid.ts';
import { OptionError } from '../foundation/errors.ts';
import { defaulted, group, optional, readOptions, required } from '../foundation/option-table.ts';
import type { AuthDataOf } from '../foundation/option-table.ts';
import { flag, shown, text, wholeNumber } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import { hasControlCharacter, hasLoneSurrogate } from '../foundation/text.ts';
import type { Group } from '../sspi/security-context-token.ts';
import type { StoredAccount } from './account-table.ts';

/** SE_GROUP_MANDATORY, ENABLED_BY_DEFAULT and ENABLED of winnt.h. */
const GROUP_ATTRIBUTES = 7;
/** UNLEN of lmcons.h. */
const MAXIMUM_NAME_UNITS = 256;
/** NTOWFv1 of the empty password: an account with it would be open to everybody (attack C23). */
const EMPTY_PASSWORD_HASH = ntowfv1('');

const accountName: Reader<string> = (value, option) => {
  const unusable =
    typeof value !== 'string' ||
    value === '' ||
    value.length > MAXIMUM_NAME_UNITS ||
    value.includes('\\') ||
    hasControlCharacter(value) ||
    hasLoneSurrogate(value);
  if (!unusable) return value;
  const cure = 'Give 1 to 256 characters without backslash; the domain has a field of its own.';
  throw new OptionError(option, shown(value), cure);
};

/** `.` is how clients write "no domain". */
const accountDomain: Reader<string> = (value, option) => {
  if (value === '.')
    throw new OptionError(option, shown(value), "Leave it out for accounts of the server's own domain.");
  return accountName(value, option);
};

const sid: Reader<string> = (value, option) => {
  if (typeof value === 'string' && isSid(value)) return value;
  throw new OptionError(option, shown(value), 'Give a security identifier such as S-1-5-21-1-2-3-1000.');
};

const groupTable = {
  /** `S-1-…`. */
  sid: optional(sid),
  /** `DOMAIN\name` or a well-known name. */
  name: optional(text),
  /** SE_GROUP_* bits of winnt.h. */
  attributes: defaulted(wholeNumber(0, 0xffffffff), GROUP_ATTRIBUTES),
  /** The group may only be used to deny: nothing is granted for it. */
  denyOnly: defaulted(flag, false),
};
const readGroup = group(groupTable);

const groups: Reader<readonly Group[], readonly (string | AuthDataOf<typeof groupTable>)[]> = (value, option) => {
  if (!Array.isArray(value)) throw new OptionError(option, shown(value), 'Give a list of names or { name, sid }.');
  return Object.freeze(
    value.map((given: unknown, index) => {
      const at = `${option}[${index}]`;
      const read = readGroup(typeof given === 'string' ? { name: given } : given, at);
      if (read.name === undefined && read.sid === undefined) {
        throw new OptionError(at, 'has neither name nor sid', 'Give one of them.');
      }
      return Object.freeze({
        ...(read.sid === undefined ? undefined : { sid: read.sid }),
        ...(read.name === undefined ? undefined : { name: read.name }),
        attributes: read.attributes,
        denyOnly: read.denyOnly,
      });
    }),
  );
};

const password: Reader<string> = (value, option) => {
  if (typeof value === 'string' && value !== '') return value;
  throw new OptionError(option, value === '' ? 'is empty' : 'is not a string', 'Give the account a password.');
};

const ntHash: Reader<Uint8Array, Uint8Array | string> = (value, option) => {
  const isHex = typeof value === 'string' && /^[0-9a-f]{32}$/iu.test(value);
  const hash = isHex ? Buffer.from(value, 'hex') : value;
  if (!(hash instanceof Uint8Array) || hash.byteLength !== 16) {
    throw new OptionError(option, 'is not an NT hash', 'Give 16 bytes or 32 hexadecimal digits.');
  }
  if (Buffer.compare(hash, EMPTY_PASSWORD_HASH) === 0) {
    throw new OptionError(option, 'is the hash of the empty password', 'Give the account a password.');
  }
  return Uint8Array.from(hash);
};

const accountTable = {
  /** Not case-sensitive. */
  userName: required(accountName, 'Give the name of the account.'),
  /** NetBIOS domain; left out: the account is the server's own. */
  domain: optional(accountDomain),
  /** In clear text, not empty. An account has either `password` or `ntHash`. */
  password: optional(password),
  /** NTOWFv1 as 16 bytes or 32 hexadecimal digits. Verifies NTLM but not Digest. */
  ntHash: optional(ntHash),
  /** Such as `alice@corp.example`. Clients may send it as their user name. Each account has a different one. */
  userPrincipalName: optional(text),
  displayName: optional(text),
  /** `S-1-…`. */
  sid: optional(sid),
  /** Groups, or just their names. */
  groups: optional(groups),
};

/** One account: a password, or the NT hash of one. */
export type MemoryAccount = AuthDataOf<typeof accountTable>;

/**
 * Reads an account.
 *
 * @param at path for errors, such as `accounts[0]`
 * @throws OptionError naming the field; it never holds a secret
 */
export function readMemoryAccount(given: unknown, at: string): StoredAccount {
  const {
    password: secret,
    ntHash: hash,
    groups: memberships = noGroups,
    ...names
  } = readOptions(accountTable, given, at);
  const account = Object.freeze({ ...names, groups: memberships });
  if (secret !== undefined && hash !== undefined) {
    throw new OptionError(at, 'has a password and an ntHash', 'Give one of the two.');
  }
  if (hash !== undefined) return { account, password: undefined, ntHash: hash };
  if (secret === undefined) {
    throw new OptionError(`${at}.password`, 'is missing', 'Every account needs a password or an ntHash.');
  }
  return { account, password: secret.normalize('NFC'), ntHash: ntowfv1(secret) };
}

const noGroups: readonly Group[] = Object.freeze([]);
