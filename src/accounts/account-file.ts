/**
 * A file of accounts. It is read at start, and again whenever it has changed. The account source defines what a line
 * means. This module decides when the file is read, what happens if it cannot be read, and when the operator is warned.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { systemClock } from '../foundation/clock.ts';
import type { Clock } from '../foundation/clock.ts';
import { SspiAuthError } from '../foundation/errors.ts';
import { describeFileAccess } from '../foundation/file-access.ts';
import { fileExposure, processReader } from '../foundation/file-exposure.ts';
import type { FileOwnership, FileReader } from '../foundation/file-exposure.ts';
import { defaulted, optional } from '../foundation/option-table.ts';
import { callable, clock } from '../foundation/option-values.ts';
import { reason } from '../identity/reasons/reason.ts';
import type { Unavailable } from './account-source.ts';
import { SourceWarnings } from './source-warnings.ts';

/** Options that every source over a file has. */
export const accountFileOptions = {
  /**
   * Called with a message for each line that is not an account, when the file can no longer be read, when no account in
   * it can sign in any more, and when others than the owner may read or change the file.
   */
  onWarning: optional(callable<(message: string) => void>(), {
    otherwise: 'the log of the authenticators that use the source, else a process warning',
  }),
  /** Where the time comes from. */
  clock: defaulted(clock, systemClock, { otherwise: "the machine's" }),
};

/** The content of a file, parsed. */
export interface AccountFileContent<T> {
  /** Where accounts are looked up. */
  readonly table: T;
  /** How many accounts there are. */
  readonly accounts: number;
  /** How many of them can sign in. */
  readonly usable: number;
  /**
   * One message for each line that is not an account or that disables one, such as `line 3: the name is not valid`. It
   * repeats nothing of the line.
   */
  readonly problems: readonly string[];
}

/** Why a file cannot be used at start. */
export interface StartProblem {
  readonly path: string;
  /** A path where there is no file yet: that of the file itself if it is missing. Nothing may be written over. */
  readonly exported: string;
  /** Such as `has no accounts`. */
  readonly detail: string;
}

/** What differs between the account sources that read a file. */
export interface AccountFileFormat<T> {
  /** Name of the function that makes the source, for messages: `smbpasswdFile`. */
  readonly source: string;
  readonly parse: (content: string) => AccountFileContent<T>;
  /** The text for a file that has no account that could sign in, or is missing: the cure, and what is wrong. */
  readonly startText: (problem: StartProblem) => string;
  /** Why no account may be able to sign in although no line has a problem, such as `each is disabled`. */
  readonly unusable: string;
}

/**
 * Time stamps of a file may have a resolution of only two seconds (FAT). A file that is younger than this may change
 * again and keep its time stamps.
 */
const SETTLED_MILLISECONDS = 2000;

export class AccountFile<T> {
  readonly path: string;
  readonly #format: AccountFileFormat<T>;
  readonly #clock: Clock;
  readonly #warnings: SourceWarnings;
  #content: AccountFileContent<T> | undefined;
  /** Inode, size and times of the file that was read. Empty while the file is so young that they may miss a change. */
  #version = '';
  /** SHA-256 of the content that was read, in hexadecimal. */
  #digest = '';
  /** A warning that the file cannot be read was given, and the file was not read since. */
  #warned = false;
  /** What others may do with the file, and the cure; undefined: nothing. */
  #exposure: string | undefined;
  /** A warning that others may read or change the file was given, and it is still so. */
  #warnedOfExposure = false;
  /**
   * Inode, size and times of the last read, and when it was (clock.elapsed(), milliseconds). For a file whose time
   * stamps are in the future: it stays too young.
   */
  #last = { found: '', readAt: -Infinity };

  /**
   * Reads the file.
   *
   * @throws SspiAuthError `ERR_SSPI_AUTH_ACCOUNT_FILE` if it cannot be read, or no account in it can sign in
   */
  constructor(
    path: string,
    format: AccountFileFormat<T>,
    options: { readonly clock: Clock; readonly onWarning?: ((message: string) => void) | undefined },
  ) {
    this.path = path;
    this.#format = format;
    this.#clock = options.clock;
    this.#warnings = new SourceWarnings(options.onWarning);
    try {
      this.#content = this.#refresh();
    } catch (error) {
      throw this.#startError(`cannot be read (${codeOf(error)})`, error);
    }
    // A file of another kind may have thousands of such lines. The message names only the first one.
    if (this.#content.usable === 0) throw this.#startError(this.#whyUnusable(this.#content));
    this.#warnOfExposure();
    this.#warnOfProblems(this.#content);
  }

  /** For `AccountSource.sendWarningsTo`. */
  sendWarningsTo(receiver: (message: string) => void): void {
    this.#warnings.sendTo(receiver);
  }

  /** For `AccountSource.description`: `smbpasswdFile /etc/x (2 accounts)`. */
  get description(): string {
    const accounts = this.#content?.accounts ?? 0;
    return `${this.#format.source} ${this.path} (${accounts} account${accounts === 1 ? '' : 's'})`;
  }

  /** The accounts that the file holds now; `unavailable` while it cannot be read. */
  current(): T | Unavailable {
    try {
      const { table } = this.#refresh();
      this.#warned = false;
      return table;
    } catch (error) {
      this.#version = '';
      const reason = `${this.path}: ${codeOf(error)}`;
      if (!this.#warned) this.#warnings.warn(`sspi-auth: cannot read ${reason}`);
      this.#warned = true;
      return { result: 'unavailable', reason };
    }
  }

  /** Reads the file if it may have changed since the last read. */
  #refresh(): AccountFileContent<T> {
    const known = this.#content;
    const stats = statSync(this.path);
    const { ino, size, mtimeMs, ctimeMs } = stats;
    const age = this.#clock.now() - Math.max(mtimeMs, ctimeMs);
    const found = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    if (known !== undefined && found === this.#version) return known;
    this.#exposure = exposureOf(this.path, stats);
    if (known !== undefined) this.#warnOfExposure();
    const readAt = this.#clock.elapsed();
    const again = age < 0 && found === this.#last.found && readAt - this.#last.readAt < SETTLED_MILLISECONDS;
    if (known !== undefined && again) return known;
    const text = readFileSync(this.path, 'utf8').replace(/^\ufeff/u, '');
    const digest = createHash('sha256').update(text).digest('hex');
    let content = known;
    // A young file is read at every call. The same warnings must not be given again.
    if (content === undefined || digest !== this.#digest) {
      content = this.#format.parse(text);
      this.#content = content;
      if (known !== undefined) this.#warnOfProblems(content);
    }
    this.#digest = digest;
    this.#version = age > SETTLED_MILLISECONDS ? found : '';
    // Only after the read: a file that cannot be read must not count as known at the next call.
    this.#last = { found, readAt };
    return content;
  }

  /** Says it once, and again if the file was closed to others in between. */
  #warnOfExposure(): void {
    if (this.#exposure !== undefined && !this.#warnedOfExposure) {
      this.#warnings.warn(`sspi-auth: ${this.path} holds hashes that are as good as passwords, and ${this.#exposure}`);
    }
    this.#warnedOfExposure = this.#exposure !== undefined;
  }

  #warnOfProblems(content: AccountFileContent<T>): void {
    for (const problem of content.problems) this.#warnings.warn(`sspi-auth: ${this.path} ${problem}`);
    if (content.usable === 0) this.#warnings.warn(`sspi-auth: ${this.path} ${this.#whyUnusable(content)}`);
  }

  #whyUnusable({ accounts, problems: [first] }: AccountFileContent<T>): string {
    if (accounts === 0) return first === undefined ? 'has no accounts' : `has no account: ${first}`;
    return `has no account that can sign in: ${first ?? this.#format.unusable}`;
  }

  #startError(detail: string, cause?: unknown): SspiAuthError {
    const text = this.#startText(detail, codeOf(cause));
    const message = `sspi-auth: ${this.#format.source}: ${text}`;
    return new SspiAuthError('ERR_SSPI_AUTH_ACCOUNT_FILE', message, cause === undefined ? undefined : { cause });
  }

  #startText(detail: string, code: string): string {
    const { path } = this;
    const reader = processReader();
    if (code === 'EISDIR') return reason('account-file-folder', { path, detail: code });
    if ((code === 'EACCES' || code === 'EPERM') && reader !== undefined) {
      return reason('account-file-denied', { path, user: reader.user, detail: code, access: accessOf(path, reader) });
    }
    return this.#format.startText({ path, exported: freePath(path), detail });
  }
}

/** The path itself if there is nothing, else one beside it where there is nothing. */
function freePath(path: string): string {
  if (!existsSync(path)) return path;
  let free = `${path}.smbpasswd`;
  for (let number = 2; existsSync(free); number++) free = `${path}.smbpasswd-${number}`;
  return free;
}

/** Undefined where it cannot be found out, as in a folder that is closed too. */
function accessOf(path: string, reader: FileReader): string | undefined {
  try {
    return describeFileAccess(statSync(path), reader);
  } catch {
    return undefined;
  }
}

function exposureOf(path: string, stats: FileOwnership): string | undefined {
  const reader = processReader();
  return reader === undefined ? undefined : fileExposure(path, stats, reader);
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'not readable';
}
