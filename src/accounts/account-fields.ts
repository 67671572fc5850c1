/**
 * What is known of an account beside its secrets: the fields of an account of memoryAccounts, and of the account that any
 * source accepts. Both are read by one table, so that a mistake is noticed wherever it stands.
 */
import { isSid } from '../formats/sid.ts';
import { OptionError } from '../foundation/errors.ts';
import { defaulted, group, optional, readOptions, required } from '../foundation/option-table.ts';
import type { AuthDataOf } from '../foundation/option-table.ts';
import { flag, shown, text, wholeNumber } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import { hasControlCharacter, hasLoneSurrogate } from '../foundation/text.ts';
import type { Group } from '../sspi/security-context-token.ts';
import type { Account } from './account-source.ts';

/** SE_GROUP_MANDATORY, ENABLED_BY_DEFAULT and ENABLED of winnt.h. */
const GROUP_ATTRIBUTES = 7;
/** UNLEN of lmcons.h. */
const MAXIMUM_NAME_UNITS = 256;
/** SE_GROUP_USE_FOR_DENY_ONLY of winnt.h. */
const USE_FOR_DENY_ONLY = 0x10;

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

/** Text for people. Half a surrogate pair has no UTF-8 form: two such texts would become one. */
const shownText: Reader<string> = (value, option) => {
  if (typeof value === 'string' && hasLoneSurrogate(value)) {
    throw new OptionError(option, shown(value), 'Give text without halves of surrogate pairs, or leave it out.');
  }
  return text(value, option);
};

const sid: Reader<string> = (value, option) => {
  if (typeof value === 'string' && isSid(value)) return value;
  throw new OptionError(option, shown(value), 'Give a security identifier such as S-1-5-21-1-2-3-1000.');
};

const groupTable = {
  /** `S-1-…`. */
  sid: optional(sid),
  /** `DOMAIN\name` or a well-known name. */
  name: optional(shownText),
  /** SE_GROUP_* bits of winnt.h. */
  attributes: defaulted(wholeNumber(0, 0xffffffff), GROUP_ATTRIBUTES),
  /** The group may only be used to deny: nothing is granted for it. `attributes` can say so as well. */
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
        denyOnly: read.denyOnly || (read.attributes & USE_FOR_DENY_ONLY) !== 0,
      });
    }),
  );
};

export const accountFields = {
  /** Not case-sensitive. */
  userName: required(accountName, 'Give the name of the account.'),
  /** NetBIOS domain; left out: the account is the server's own. */
  domain: optional(accountDomain),
  /** Such as `alice@corp.example`. Clients may send it as their user name. Each account has a different one. */
  userPrincipalName: optional(shownText),
  displayName: optional(shownText),
  /** `S-1-…`. */
  sid: optional(sid),
  /** Groups, or just their names. */
  groups: optional(groups),
};

/** Accounts that were read already. They are frozen, so they need not be read again for each sign-in. */
const readAccounts = new WeakSet<object>();

/** Marks a frozen account whose fields have been read by the table above, or are as good. */
export function markAsRead<A extends Account>(account: A): A {
  readAccounts.add(account);
  return account;
}

/**
 * Reads the account that a source accepted. A source may be JavaScript: what it writes may be misspelt or of any type,
 * and a group whose `denyOnly` is not understood would grant what it must not.
 *
 * Fields that an account does not have are ignored, because a source may give the record that it keeps. A group has no
 * others than its own. Empty text and null are left out.
 *
 * @throws OptionError that names the field, such as `account.groups[0].denyOnly`
 */
export function readAccount(account: Account): Account {
  if (readAccounts.has(account)) return account;
  const given: Record<string, unknown> = {};
  for (const name of Object.keys(accountFields)) {
    const value: unknown = account[name as keyof Account];
    if (value !== null && value !== '') given[name] = value;
  }
  return readOptions(accountFields, given, 'account');
}
