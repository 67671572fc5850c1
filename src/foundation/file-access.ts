/** Why this process may not read a file, in the numbers that an administrator compares. */
import type { FileOwnership, FileReader } from './file-exposure.ts';

/**
 * Who reads, and whose the file is.
 *
 * @returns such as `this process runs as uid 65534, the file belongs to uid 0 and gid 0 and has mode 0600`
 */
export function describeFileAccess({ mode, uid, gid }: FileOwnership, { user }: FileReader): string {
  const bits = (mode & 0o7777).toString(8).padStart(4, '0');
  return `this process runs as uid ${user}, the file belongs to uid ${uid} and gid ${gid} and has mode ${bits}`;
}
