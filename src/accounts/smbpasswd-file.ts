/**
 * Accounts of a file in Samba's smbpasswd format, smbpasswd(5): `name:uid:LM hash:NT hash:[flags]:LCT-time:`.
 *
 * The file is read at start, and again whenever it has changed; a user taken out of it is refused from then on.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { ntowfv1 } from '../crypto/ntlm-keys.ts';
import { OptionError, SspiAuthError } from '../foundation/errors.ts';
import { uppercase } from '../formats/uppercase.ts';
import { systemClock } from '../foundation/clock.ts';
import type { Clock } from '../foundation/clock.ts';
import type { AccountSource, Unavailable } from './account-source.ts';
import { AccountTable } from './account-table.ts';
import { verifyNtlmResponse } from './verify-ntlm.ts';

/** Options of smbpasswdFile. */
export interface SmbpasswdFileOptions {
  /** NetBIOS domain of the accounts; left out: they are the server's own. */
  readonly domain?: string | undefined;
  /**
   * Told about each line that is not an account, and when the file cannot be read again or has nobody left who could sign
   * in. Default: a process warning.
   */
  readonly onWarning?: ((message: string) => void) | undefined;
  readonly clock?: Clock | undefined;
}

/** What a line is. */
type Line = { readonly userName: string; readonly ntHash: Uint8Array | undefined } | { readonly problem: string };

/** Time stamps of a file system may be as coarse as two seconds (FAT): a younger file may change without their changing. */
const SETTLED_MILLISECONDS = 2000;
const NO_PASSWORD_HASH = Buffer.from(ntowfv1('')).toString('hex');

/**
 * An account source over a file that Samba's smbpasswd or pdbedit writes. It verifies NTLM; there is no password in the
 * file from which Digest could be verified.
 *
 * Accounts that are disabled (D), locked (L), have no password (N), or belong to machines and trusts (W, S, I) are refused. A line that
 * is not an account lets nobody in and is told to `onWarning` with its number; so does a name that occurs twice. A file
 * that can no longer be read makes the source unavailable until it can.
 *
 * @param path the file
 * @throws OptionError for options that cannot be used; SspiAuthError `ERR_SSPI_AUTH_ACCOUNT_FILE` where the file cannot be
 *   read at start, or has nobody who could sign in
 */
export function smbpasswdFile(path: string, options: SmbpasswdFileOptions = {}): AccountSource {
  if (typeof path !== 'string' || path === '') {
    throw new OptionError('path', 'is not a path', 'Give the path of an smbpasswd file.');
  }
  checkOptions(options);
  const { domain, clock = systemClock, onWarning = processWarning } = options;
  let version = '';
  let contentDigest = '';
  let read: ReadFile = { table: new AccountTable(), usable: 0, problems: [] };
  let started = false;
  let complained = false;
  /** What was read last, and when (clock.elapsed()): a file from the future never settles. */
  let last = { found: '', readAt: -Infinity };

  const tellProblems = (): void => {
    for (const problem of read.problems) onWarning(`sspi-auth: ${path} ${problem}`);
    if (read.usable === 0) onWarning(`sspi-auth: ${path} ${whyNobody(read)}`);
  };

  /** Reads the file where it is not the one that was read before. */
  const refresh = (): void => {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    const age = clock.now() - Math.max(mtimeMs, ctimeMs);
    const settled = age > SETTLED_MILLISECONDS;
    const found = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    if (found === version) return;
    const readAt = clock.elapsed();
    if (age < 0 && found === last.found && readAt - last.readAt < SETTLED_MILLISECONDS) return;
    const content = readFileSync(path, 'utf8').replace(/^\ufeff/u, '');
    const digest = createHash('sha256').update(content).digest('hex');
    // A young file is read again and again: the same warnings are not.
    if (digest !== contentDigest) {
      read = readTable(content, domain);
      if (started) tellProblems();
    }
    contentDigest = digest;
    version = settled ? found : '';
    // Not before it was read: one that cannot be read must not be taken for known the next time.
    last = { found, readAt };
  };

  try {
    refresh();
  } catch (error) {
    throw accountFileError(path, `cannot be read (${codeOf(error)})`, error);
  }
  // A file of something else may have thousands of lines: the first of them says enough.
  if (read.usable === 0) throw accountFileError(path, whyNobody(read));
  started = true;
  tellProblems();

  return Object.freeze({
    description: `smbpasswdFile ${path} (${read.table.size} account${read.table.size === 1 ? '' : 's'})`,
    verifyNtlm(logon) {
      try {
        refresh();
        complained = false;
      } catch (error) {
        version = '';
        const unavailable: Unavailable = { result: 'unavailable', reason: `${path}: ${codeOf(error)}` };
        if (!complained) onWarning(`sspi-auth: cannot read ${path}: ${codeOf(error)}`);
        complained = true;
        return unavailable;
      }
      return verifyNtlmResponse(read.table.find(logon), logon);
    },
  } satisfies AccountSource);
}

/** What a file came to. */
interface ReadFile {
  readonly table: AccountTable;
  /** How many of its accounts can sign in. */
  readonly usable: number;
  /** Of every line that is no account or takes one away, with its number. */
  readonly problems: readonly string[];
}

function whyNobody({ table, problems: [first] }: ReadFile): string {
  if (table.size === 0) return first === undefined ? 'has no accounts' : `has no account: ${first}`;
  const why = first ?? "each is disabled, without an NT hash or not a user's";
  return `has no account that can sign in: ${why}`;
}

function accountFileError(path: string, problem: string, cause?: unknown): SspiAuthError {
  const code = codeOf(cause);
  const cure =
    code === 'EACCES' || code === 'EPERM'
      ? 'Let the user of this process read it'
      : code === 'EISDIR'
        ? 'Give the file in that folder that pdbedit -e smbpasswd:FILE has written'
        : `Give a file that Samba has written: pdbedit -e smbpasswd:${path}`;
  const message = `sspi-auth: smbpasswdFile: ${path} ${problem}. ${cure}`;
  return new SspiAuthError('ERR_SSPI_AUTH_ACCOUNT_FILE', message, cause === undefined ? undefined : { cause });
}

const optionNames: readonly (keyof SmbpasswdFileOptions)[] = ['domain', 'onWarning', 'clock'];

function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new OptionError('options', 'is no object', `Give an object with some of: ${optionNames.join(', ')}.`);
  }
  for (const name of Object.keys(options)) {
    if (optionNames.includes(name as keyof SmbpasswdFileOptions)) continue;
    throw new OptionError(name, 'is not an option of smbpasswdFile', `There are: ${optionNames.join(', ')}.`);
  }
  const { domain, onWarning, clock } = options as Partial<Record<keyof SmbpasswdFileOptions, unknown>>;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (domain !== undefined && (typeof domain !== 'string' || !/^[^\u0000-\u001f\u007f-\u009f\\]+$/u.test(domain))) {
    throw new OptionError('domain', 'is not a name', 'Leave it out for accounts of the server itself.');
  }
  if (onWarning !== undefined && typeof onWarning !== 'function') {
    throw new OptionError('onWarning', 'is not a function', 'Give what is to be told of lines that are no accounts.');
  }
  const { now, elapsed } = (clock ?? {}) as Partial<Record<keyof Clock, unknown>>;
  if (clock !== undefined && (typeof now !== 'function' || typeof elapsed !== 'function')) {
    throw new OptionError('clock', 'is no clock', 'Give { now(), elapsed() } in milliseconds, or leave it out.');
  }
}

function readTable(text: string, domain: string | undefined): ReadFile {
  const table = new AccountTable();
  const usable = new Set<string>();
  const problems: string[] = [];
  for (const [index, content] of text.split('\n').entries()) {
    const line = content.endsWith('\r') ? content.slice(0, -1) : content;
    if (line.trim() === '' || line.startsWith('#')) continue;
    const read = readLine(line);
    if ('problem' in read) {
      problems.push(`line ${index + 1}: ${read.problem}`);
      continue;
    }
    const { userName, ntHash } = read;
    const account = Object.freeze({ userName, domain });
    if (table.add({ account, ntHash, password: undefined })) {
      if (ntHash !== undefined) usable.add(uppercase(userName));
      continue;
    }
    // Which of the two is meant cannot be known, so neither is: the name stays known, without a hash.
    table.remove(userName);
    table.add({ account, ntHash: undefined, password: undefined });
    usable.delete(uppercase(userName));
    problems.push(`line ${index + 1}: the name occurs twice; it is refused`);
  }
  return { table, usable: usable.size, problems };
}

/** A line; the message about a broken one holds nothing of it. */
function readLine(line: string): Line {
  const [userName = '', uid = '', , ntText = '', flagText = ''] = line.split(':');
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (userName === '' || userName.length > 256 || /[\u0000-\u001f\u007f-\u009f\\]/u.test(userName)) {
    return { problem: 'the name is not one' };
  }
  // What readFileSync makes of bytes that are not UTF-8: two names could become one.
  if (userName.includes('\ufffd')) return { problem: 'the name is not UTF-8' };
  if (!/^\d+$/u.test(uid)) return { problem: 'the uid is not a number' };
  const flags = /^\[([A-Za-z ]*)\]$/u.exec(flagText)?.[1];
  if (flags === undefined) return { problem: 'the account flags are missing' };
  // Disabled, no password, locked; workstation, server and interdomain trust.
  if (/[DNLWSI]/u.test(flags) || !flags.includes('U')) return { userName, ntHash: undefined };
  if (/^(?:X{32}|\*{32}|NO PASSWORDX{21})$/u.test(ntText)) return { userName, ntHash: undefined };
  if (!/^[0-9A-Fa-f]{32}$/u.test(ntText)) return { problem: 'the NT hash has not 32 hexadecimal digits' };
  if (ntText.toLowerCase() === NO_PASSWORD_HASH) return { problem: 'the NT hash is that of the empty password' };
  return { userName, ntHash: Buffer.from(ntText, 'hex') };
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'not readable';
}

function processWarning(message: string): void {
  process.emitWarning(message, { type: 'SspiAuthWarning' });
}
