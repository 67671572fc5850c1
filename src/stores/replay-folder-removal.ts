/** Empties the subfolders of a replay folder whose time is past. */
import { opendir, readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Files after which requests come first. Each is removed by a call of its own: 60 000 at once kept the event loop busy
 * for up to 640 ms.
 */
const BATCH = 32;

/**
 * Removes what is in the subfolders `….gone`, and all of them but the last, which tells what was forgotten. Other
 * processes may do the same at the same time. What cannot be removed stays for the next time.
 *
 * @param isOver whether to leave the rest
 */
export async function removeGoneFolders(path: string, isOver: () => boolean): Promise<void> {
  try {
    const names = (await readdir(path)).filter((name) => /^\d+\.gone$/.test(name));
    names.sort((a, b) => parseInt(a, 10) - parseInt(b, 10));
    const last = names.at(-1);
    for (const name of names) {
      if (!(await emptyFolder(join(path, name), isOver))) return;
      if (name !== last) await rmdir(join(path, name));
    }
  } catch {
    // Another process was faster, or the folder cannot be used: then the next claim says so.
  }
}

/** @returns whether all of it was done */
async function emptyFolder(path: string, isOver: () => boolean): Promise<boolean> {
  let removed = 0;
  for await (const { name } of await opendir(path)) {
    if (isOver()) return false;
    await unlink(join(path, name)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
    if (++removed % BATCH === 0) await nextTurn();
  }
  return true;
}
