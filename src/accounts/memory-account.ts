/** One account of memoryAccounts: its options, and how they are read. */
import { ntowfv1 } from '../crypto/ntlm-keys.ts';
import { OptionError } from '../foundation/errors.ts';
import { optional, readOptions } from '../foundation/option-table.ts';
import type { AuthDataOf } from '../foundation/option-table.ts';
import type { Reader } from '../foundation/option-values.ts';
import type { Group } from '../sspi/security-context-token.ts';
import { accountFields, markAsRead } from './account-fields.ts';
import type { StoredAccount } from './account-table.ts';

/** NTOWFv1 of the empty password: an account with it would be open to everybody (attack C23). */
const EMPTY_PASSWORD_HASH = ntowfv1('');

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
  ...accountFields,
  /** In clear text, not empty. An account has either `password` or `ntHash`. */
  password: optional(password),
  /** NTOWFv1 as 16 bytes or 32 hexadecimal digits. Verifies NTLM but not Digest. */
  ntHash: optional(ntHash),
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
  const account = markAsRead(Object.freeze({ ...names, groups: memberships }));
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
