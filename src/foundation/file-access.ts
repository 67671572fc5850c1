/** Why this process may not read a file, in the numbers that an administrator compares. */
import { statSync } from 'node:fs';
import { processReader } from './file-exposure.ts';
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

/** Whether the file system refused because of rights. */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
}

/** Who reads a file and whose it is; undefined where that cannot be found out, as in a folder that is closed too. */
export function fileAccess(path: string): string | undefined {
  const reader = processReader();
  try {
    return reader === undefined ? undefined : describeFileAccess(statSync(path), reader);
  } catch {
    return undefined;
  }
}
