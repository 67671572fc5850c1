/** Where the replay folder is, and whether it can be used. Checked at start, not at the first ticket. */
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { OptionError } from '../foundation/errors.ts';
import { shown } from '../foundation/option-values.ts';

/** Who this process is; undefined where the system has no uid (Windows). */
export function processUser(): number | undefined {
  return process.geteuid?.();
}

/**
 * The replay folder that all processes of this user on this machine share: beside the replay cache of MIT krb5 (rc_dfl.c)
 * in /var/tmp, which outlives a restart of the machine. Without a uid, under the user's own temporary folder.
 */
export function defaultReplayFolder(user = processUser()): string {
  return user === undefined ? join(tmpdir(), 'sspi-auth-replay') : `/var/tmp/sspi-auth-replay_${user}`;
}

/**
 * Reads the name of a folder from option `replayCache`.
 *
 * @throws OptionError if it is a name of MIT krb5, such as `file2:/run/app/replay`, or no absolute path
 */
export function replayFolderPath(value: string, option: string): string {
  const [, type] = /^(dfl|none|file2|file|memory|[a-z][a-z0-9]+):/i.exec(value) ?? [];
  if (type !== undefined) {
    throw new OptionError(
      option,
      `${shown(value)}, the name of a replay cache of MIT krb5`,
      type === 'none'
        ? 'Give false, or leave it out.'
        : "Give the path of a folder, such as '/run/app/replay'; or use provider 'gssapi', which takes such names.",
    );
  }
  if (!isAbsolute(value)) {
    throw new OptionError(option, `${shown(value)}, which is no absolute path`, "Give one, such as '/run/app/replay'.");
  }
  return value;
}

/** A file in the folder tells since when it remembers: its name is this and milliseconds since 1970-01-01 UTC. */
export const SINCE = 'since.';

/** Makes the folder if it is not there, for this user alone. */
function makeReplayFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * Makes the file that tells since when the folder remembers. Several processes may do this at once: then there are
 * several, and the earliest counts, because every process has remembered since its own.
 */
function beginToRemember(path: string, now: number): void {
  if (readdirSync(path).some((name) => name.startsWith(SINCE))) return;
  writeFileSync(join(path, `${SINCE}${Math.ceil(now)}`), '', { mode: 0o600 });
}

/**
 * Checks that the folder is this user's alone and can be written to; makes it if it is not there.
 *
 * @param option name of the option, for the error
 * @throws OptionError with the path and the cure
 */
export function checkReplayFolder(path: string, now: number, option: string): void {
  const fail = (problem: string, cure: string): never => {
    throw new OptionError(option, `means the replay folder ${path}, which ${problem}`, `${cure} ${otherCures}`);
  };
  try {
    makeReplayFolder(path);
  } catch (error) {
    fail(`cannot be made (${reasonOf(error)})`, 'Make the folder that it lies in, writable by this process.');
  }
  const user = processUser();
  const stat = lstatSync(path);
  if (!stat.isDirectory()) fail('is no folder', 'Remove what is there.');
  if (user !== undefined && stat.uid !== user) {
    fail(`belongs to another user (uid ${stat.uid})`, `Remove it, or run chown ${user} ${path}.`);
  }
  if (user !== undefined && (stat.mode & 0o077) !== 0) {
    fail('is open to other users, who could make it forget', `Run chmod 700 ${path}.`);
  }
  const probe = join(path, `probe.${process.pid}.${randomBytes(6).toString('hex')}`);
  try {
    beginToRemember(path, now);
    writeFileSync(probe, '', { flag: 'wx', mode: 0o600 });
    unlinkSync(probe);
  } catch (error) {
    fail(`cannot be written to (${reasonOf(error)})`, 'Make room in it, or make it writable.');
  }
}

const otherCures =
  'Or name another folder that this process alone may use: replayCache: \'/run/app/replay\'. Or give a "store", such ' +
  'as memoryStore() for a single process.';

/** The reason of an error of the file system, without what this library adds. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of an error of the file system, such as `ENOENT`. */
export function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null)?.code;
}
