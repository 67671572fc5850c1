/**
 * A file of accounts that is read at start, and again whenever it has changed. What a line means is the source's; when the
 * file is read, what becomes of one that cannot be read, and whom that is told, is the same for all of them.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { systemClock } from '../foundation/clock.ts';
import type { Clock } from '../foundation/clock.ts';
import { SspiAuthError } from '../foundation/errors.ts';
import { defaulted } from '../foundation/option-table.ts';
import { callable, clock } from '../foundation/option-values.ts';
import type { Unavailable } from './account-source.ts';

/** Options that every source over a file has. */
export const accountFileOptions = {
  /**
   * Told about each line that is not an account, and when the file cannot be read again or has nobody left who could sign
   * in.
   */
  onWarning: defaulted(callable<(message: string) => void>(), processWarning, { otherwise: 'a process warning' }),
  /** Where the time comes from. */
  clock: defaulted(clock, systemClock, { otherwise: "the machine's" }),
};

/** What the content of a file came to. */
export interface AccountFileContent<T> {
  /** What accounts are looked up in. */
  readonly table: T;
  /** How many accounts there are. */
  readonly accounts: number;
  /** How many of them can sign in. */
  readonly usable: number;
  /** Of every line that is no account or takes one away: `line 3: the name is not one`. Holds nothing of the line. */
  readonly problems: readonly string[];
}

/** What makes a file a source's own. */
export interface AccountFileFormat<T> {
  /** Name of the function that gives the source, for messages: `smbpasswdFile`. */
  readonly source: string;
  readonly parse: (content: string) => AccountFileContent<T>;
  /** What to do about a file that has no accounts or is not there. One sentence without a full stop. */
  readonly cure: string;
  /** Why an account without a problem may not sign in, such as `each is disabled`. */
  readonly unusable: string;
}

/** Time stamps of a file system may be as coarse as two seconds (FAT): a younger file may change without their changing. */
const SETTLED_MILLISECONDS = 2000;

export class AccountFile<T> {
  readonly path: string;
  readonly #format: AccountFileFormat<T>;
  readonly #clock: Clock;
  readonly #onWarning: (message: string) => void;
  #content: AccountFileContent<T> | undefined;
  /** Of the content that was read: inode, size and times; empty while the file is too young to tell a change by them. */
  #version = '';
  #digest = '';
  #complained = false;
  /** What was read last, and when (clock.elapsed()): a file from the future never settles. */
  #last = { found: '', readAt: -Infinity };

  /**
   * Reads the file.
   *
   * @throws SspiAuthError `ERR_SSPI_AUTH_ACCOUNT_FILE` where it cannot be read, or has nobody who could sign in
   */
  constructor(
    path: string,
    format: AccountFileFormat<T>,
    options: { readonly clock: Clock; readonly onWarning: (message: string) => void },
  ) {
    this.path = path;
    this.#format = format;
    this.#clock = options.clock;
    this.#onWarning = options.onWarning;
    try {
      this.#content = this.#refresh();
    } catch (error) {
      throw this.#startError(`cannot be read (${codeOf(error)})`, error);
    }
    // A file of something else may have thousands of lines: the first of them says enough.
    if (this.#content.usable === 0) throw this.#startError(this.#whyNobody(this.#content));
    this.#tellProblems(this.#content);
  }

  /** For `AccountSource.description`: `smbpasswdFile /etc/x (2 accounts)`. */
  get description(): string {
    const accounts = this.#content?.accounts ?? 0;
    return `${this.#format.source} ${this.path} (${accounts} account${accounts === 1 ? '' : 's'})`;
  }

  /** What the file holds now; unavailable for as long as it cannot be read. */
  current(): T | Unavailable {
    try {
      const { table } = this.#refresh();
      this.#complained = false;
      return table;
    } catch (error) {
      this.#version = '';
      const reason = `${this.path}: ${codeOf(error)}`;
      if (!this.#complained) this.#onWarning(`sspi-auth: cannot read ${reason}`);
      this.#complained = true;
      return { result: 'unavailable', reason };
    }
  }

  /** Reads the file where it is not the one that was read before. */
  #refresh(): AccountFileContent<T> {
    const known = this.#content;
    const { ino, size, mtimeMs, ctimeMs } = statSync(this.path);
    const age = this.#clock.now() - Math.max(mtimeMs, ctimeMs);
    const found = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    if (known !== undefined && found === this.#version) return known;
    const readAt = this.#clock.elapsed();
    const again = age < 0 && found === this.#last.found && readAt - this.#last.readAt < SETTLED_MILLISECONDS;
    if (known !== undefined && again) return known;
    const text = readFileSync(this.path, 'utf8').replace(/^\ufeff/u, '');
    const digest = createHash('sha256').update(text).digest('hex');
    let content = known;
    // A young file is read again and again: the same warnings are not.
    if (content === undefined || digest !== this.#digest) {
      content = this.#format.parse(text);
      this.#content = content;
      if (known !== undefined) this.#tellProblems(content);
    }
    this.#digest = digest;
    this.#version = age > SETTLED_MILLISECONDS ? found : '';
    // Not before it was read: one that cannot be read must not be taken for known the next time.
    this.#last = { found, readAt };
    return content;
  }

  #tellProblems(content: AccountFileContent<T>): void {
    for (const problem of content.problems) this.#onWarning(`sspi-auth: ${this.path} ${problem}`);
    if (content.usable === 0) this.#onWarning(`sspi-auth: ${this.path} ${this.#whyNobody(content)}`);
  }

  #whyNobody({ accounts, problems: [first] }: AccountFileContent<T>): string {
    if (accounts === 0) return first === undefined ? 'has no accounts' : `has no account: ${first}`;
    return `has no account that can sign in: ${first ?? this.#format.unusable}`;
  }

  #startError(problem: string, cause?: unknown): SspiAuthError {
    const code = codeOf(cause);
    const cure =
      code === 'EACCES' || code === 'EPERM'
        ? 'Let the user of this process read it'
        : code === 'EISDIR'
          ? 'Give the file in that folder'
          : this.#format.cure;
    const message = `sspi-auth: ${this.#format.source}: ${this.path} ${problem}. ${cure}`;
    return new SspiAuthError('ERR_SSPI_AUTH_ACCOUNT_FILE', message, cause === undefined ? undefined : { cause });
  }
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'not readable';
}

function processWarning(message: string): void {
  process.emitWarning(message, { type: 'SspiAuthWarning' });
}
