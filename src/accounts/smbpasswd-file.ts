/**
 * Accounts of a file in Samba's smbpasswd format, smbpasswd(5): `name:uid:LM hash:NT hash:[flags]:LCT-time:`. A user
 * who is removed from the file is refused from then on, on connections that are signed in as well.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { ntowfv1 } from '../crypto/ntlm-keys.ts';
import { uppercase } from '../formats/uppercase.ts';
import { OptionError } from '../foundation/errors.ts';
import { optional, readOptions } from '../foundation/option-table.ts';
import type { AuthDataOf } from '../foundation/option-table.ts';
import { shown, text } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import { hasControlCharacter } from '../foundation/text.ts';
import { reason } from '../identity/reasons/reason.ts';
import { markAsRead } from './account-fields.ts';
import { AccountFile, accountFileOptions } from './account-file.ts';
import type { AccountFileContent } from './account-file.ts';
import type { AccountSource } from './account-source.ts';
import { AccountTable } from './account-table.ts';
import { verifyNtlmResponse } from './verify-ntlm.ts';

const domainName: Reader<string> = (value, option) => {
  const isName = typeof value === 'string' && value !== '' && value !== '.' && !value.includes('\\');
  if (isName && !hasControlCharacter(value)) return value;
  throw new OptionError(option, shown(value), 'Give a name, or leave it out for accounts of the server itself.');
};

const smbpasswdOptions = {
  /** NetBIOS domain of the accounts; left out: they are the server's own. */
  domain: optional(domainName),
  ...accountFileOptions,
};

/** Options of smbpasswdFile. */
export type SmbpasswdFileOptions = AuthDataOf<typeof smbpasswdOptions>;

/** A line of the file: an account, or the reason why it is not one. */
type Line = { readonly userName: string; readonly ntHash: Uint8Array | undefined } | { readonly problem: string };

const NO_PASSWORD_HASH = Buffer.from(ntowfv1('')).toString('hex');

/**
 * An account source over a file that Samba's smbpasswd or pdbedit writes. It verifies NTLM. It cannot verify Digest,
 * because the file holds no passwords.
 *
 * Accounts that are disabled (D), locked (L), have no password (N), or belong to machines and trusts (W, S, I) are
 * refused. A line that is not an account is skipped, and `onWarning` is called with its number. A name that occurs
 * twice is refused, and `onWarning` is called as well. While the file cannot be read, the source is unavailable.
 *
 * @param path path of the file
 * @throws OptionError for options that cannot be used; SspiAuthError `ERR_SSPI_AUTH_ACCOUNT_FILE` if the file cannot be
 *   read at start, or no account in it can sign in
 */
export function smbpasswdFile(path: string, options: SmbpasswdFileOptions = {}): AccountSource {
  const { domain, ...fileOptions } = readOptions(smbpasswdOptions, options, 'options');
  const file = new AccountFile(
    text(path, 'path'),
    {
      source: 'smbpasswdFile',
      parse: (content) => readTable(content, domain),
      startText: (problem) =>
        isDatabase(problem.path)
          ? reason('account-file-is-database', problem)
          : reason('account-file-unusable', problem),
      unusable: "each is disabled, has no NT hash, or is not a user's account",
    },
    fileOptions,
  );
  return Object.freeze({
    description: file.description,
    sendWarningsTo: (receiver) => file.sendWarningsTo(receiver),
    verifyNtlm(logon) {
      const table = file.current();
      return 'result' in table ? table : verifyNtlmResponse(table.find(logon), logon);
    },
    isCurrent({ userName }) {
      const table = file.current();
      // All accounts of the file have one domain, so the user name is enough.
      return !('result' in table) && table.find({ userName, ...noDomain })?.ntHash !== undefined;
    },
  } satisfies AccountSource);
}

/** Whether a file is one of TDB, as Samba's databases are: it begins so. */
function isDatabase(path: string): boolean {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const first = Buffer.alloc(8);
    return readSync(descriptor, first, 0, 8, 0) === 8 && first.toString('latin1') === 'TDB file';
  } catch {
    return false;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const noDomain = { domain: '', serverDomain: '', serverName: '' };

function readTable(content: string, domain: string | undefined): AccountFileContent<AccountTable> {
  const table = new AccountTable();
  const usable = new Set<string>();
  const problems: string[] = [];
  for (const [index, untrimmed] of content.split('\n').entries()) {
    const line = untrimmed.endsWith('\r') ? untrimmed.slice(0, -1) : untrimmed;
    if (line.trim() === '' || line.startsWith('#')) continue;
    const read = readLine(line);
    if ('problem' in read) {
      problems.push(`line ${index + 1}: ${read.problem}`);
      continue;
    }
    const { userName, ntHash } = read;
    // The name was read above, the domain at start.
    const account = markAsRead(Object.freeze({ userName, domain }));
    if (table.add({ account, ntHash, password: undefined })) {
      if (ntHash !== undefined) usable.add(uppercase(userName));
      continue;
    }
    // It is not known which of the two lines is right, so neither is used. The name stays in the table, without a hash.
    table.remove(userName);
    table.add({ account, ntHash: undefined, password: undefined });
    usable.delete(uppercase(userName));
    problems.push(`line ${index + 1}: the name occurs twice; it is refused`);
  }
  return { table, accounts: table.size, usable: usable.size, problems };
}

/** Reads a line. The problem of an invalid line repeats nothing of it. */
function readLine(line: string): Line {
  const [userName = '', uid = '', , ntText = '', flagText = ''] = line.split(':');
  if (userName === '' || userName.length > 256 || hasControlCharacter(userName) || userName.includes('\\')) {
    return { problem: 'the name is not valid' };
  }
  // readFileSync replaces bytes that are not UTF-8 by this character, so that different names could become equal.
  if (userName.includes('\ufffd')) return { problem: 'the name is not UTF-8' };
  if (!/^\d+$/u.test(uid)) return { problem: 'the uid is not a number' };
  const flags = /^\[([A-Za-z ]*)\]$/u.exec(flagText)?.[1];
  if (flags === undefined) return { problem: 'the account flags are missing' };
  // Disabled, no password, locked; workstation, server and interdomain trust.
  if (/[DNLWSI]/u.test(flags) || !flags.includes('U')) return { userName, ntHash: undefined };
  if (/^(?:X{32}|\*{32}|NO PASSWORDX{21})$/u.test(ntText)) return { userName, ntHash: undefined };
  if (!/^[0-9A-Fa-f]{32}$/u.test(ntText)) return { problem: 'the NT hash does not have 32 hexadecimal digits' };
  if (ntText.toLowerCase() === NO_PASSWORD_HASH) return { problem: 'the NT hash is that of the empty password' };
  return { userName, ntHash: Buffer.from(ntText, 'hex') };
}
