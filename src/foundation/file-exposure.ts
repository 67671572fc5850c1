/** Whether a file of secrets lies open to others than the account that reads it. */

/** Who reads the file: this process, by its effective user and all its groups. */
export interface FileReader {
  readonly user: number;
  readonly groups: readonly number[];
}

/** Owner, group and mode bits of a file, as fs.Stats has them. */
export interface FileOwnership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;
const GROUP_WRITE = 0o020;
const GROUP_READ = 0o040;

/** This process; undefined on Windows, which has other rights than mode bits. */
export function processReader(): FileReader | undefined {
  const user = process.geteuid?.();
  if (user === undefined) return undefined;
  const group = process.getegid?.();
  return { user, groups: [...(process.getgroups?.() ?? []), ...(group === undefined ? [] : [group])] };
}

/**
 * Tells what others may do with the file, and the command that ends it. A group that may read it is no problem: that is
 * how a service gets at a file of root.
 *
 * After the command the reader can still read the file.
 *
 * @returns such as `can be read by every user of this machine: chmod 600 /etc/x`; undefined if all is well
 */
export function fileExposure(path: string, file: FileOwnership, reader: FileReader): string | undefined {
  const { mode } = file;
  const byOthers = (mode & (OTHERS_READ | OTHERS_WRITE)) !== 0;
  const writes = (mode & (OTHERS_WRITE | GROUP_WRITE)) !== 0;
  if (!byOthers && !writes) return undefined;
  const reads = (mode & OTHERS_READ) !== 0;
  const what = reads && writes ? 'read and changed' : reads ? 'read' : 'changed';
  return `can be ${what} by ${byOthers ? 'every user of this machine' : 'its group'}: ${cure(path, file, reader)}`;
}

function cure(path: string, { mode, uid, gid }: FileOwnership, { user, groups }: FileReader): string {
  const name = shellWord(path);
  if (user === uid || user === 0) return `chmod 600 ${name}`;
  if ((mode & GROUP_READ) !== 0 && groups.includes(gid)) return `chmod 640 ${name}`;
  // The reader is one of the others: without this it would be shut out with them.
  return `chown ${user} ${name} && chmod 600 ${name}`;
}

/** A path as a word of a shell's command line. */
function shellWord(path: string): string {
  const word = path.startsWith('-') ? `./${path}` : path;
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
