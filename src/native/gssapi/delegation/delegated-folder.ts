/**
 * The folder with the delegated tickets of this process: of mode 0700, in the temporary folder of the system. It exists
 * while there are tickets in it.
 *
 * It ends with the process. Where the process has no time for that (SIGKILL, a crash), the next one that starts removes
 * it. A lock of the kernel on the folder, which ends with its process, tells whether it is still in use. It counts in
 * other containers too, and is not misled when a process number is used again. systemd-tmpfiles(8) heeds it as well.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFile } from './file-lock.ts';
import { whenProcessEnds } from './process-end.ts';

const PREFIX = 'sspi-auth-delegated-';
const MAX_ATTEMPTS = 5;

/** The path of a file. */
export interface DelegatedFile {
  readonly path: string;
  /**
   * Removes the file. Further calls do nothing.
   *
   * @throws Error of the file system if it cannot be removed
   */
  readonly remove: () => void;
}

/** The folder that new files are made in. A worker thread has one of its own. */
let current: LockedFolder | undefined;

/**
 * Names a new file for a ticket, in a folder that no other user can enter.
 *
 * @throws Error of the file system if there is no folder for it
 */
export function newDelegatedFile(): DelegatedFile {
  // Somebody may have emptied the temporary folder.
  if (current?.isThere() !== true) current = new LockedFolder(tmpdir());
  const folder = current;
  const path = folder.add();
  return {
    path,
    remove() {
      if (folder.remove(path) && current === folder) current = undefined;
    },
  };
}

class LockedFolder {
  readonly #path: string;
  readonly #lock: number;
  readonly #files = new Set<string>();
  /** Takes back what whenProcessEnds has registered. */
  readonly #unregister: () => void;

  constructor(parent: string) {
    ({ path: this.#path, lock: this.#lock } = newLockedFolder(parent));
    this.#unregister = whenProcessEnds(() => {
      try {
        removeFolder(this.#path);
      } catch {
        // The process must end as it would have ended. The next one tries again.
      }
    });
  }

  isThere(): boolean {
    return isFolder(this.#lock, this.#path);
  }

  add(): string {
    const path = join(this.#path, randomUUID());
    this.#files.add(path);
    return path;
  }

  /** @returns whether the folder was removed with its last file */
  remove(path: string): boolean {
    if (!this.#files.delete(path)) return false;
    try {
      rmSync(path, { force: true });
      return this.#files.size === 0;
    } finally {
      if (this.#files.size === 0) this.#end();
    }
  }

  #end(): void {
    this.#unregister();
    try {
      removeFolder(this.#path);
    } finally {
      closeSync(this.#lock);
    }
  }
}

function newLockedFolder(parent: string): { readonly path: string; readonly lock: number } {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const path = mkdtempSync(join(parent, PREFIX));
    let lock: number;
    try {
      lock = openFolder(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      removeFolder(path);
      throw error;
    }
    // Until it is locked, another process may take it for the folder of a dead one, and remove it.
    if (lockFile(lock) !== 'held by another' && isFolder(lock, path)) return { path, lock };
    closeSync(lock);
  }
  throw new Error(`other processes remove the folders that are made in ${parent}`);
}

/**
 * Removes the folders that dead processes of this user have left in a folder. Never throws: what cannot be removed
 * stays.
 */
export function removeFoldersOfDeadProcesses(parent: string): void {
  let names: readonly string[];
  try {
    names = readdirSync(parent).filter((name) => name.startsWith(PREFIX));
  } catch {
    return;
  }
  for (const name of names) {
    try {
      removeIfDead(join(parent, name));
    } catch {
      // Another process removes it too, or it is not what it seems to be.
    }
  }
}

function removeIfDead(path: string): void {
  const lock = openFolder(path);
  try {
    // The temporary folder is everybody's: what another user puts there has no say in what is removed.
    if (fstatSync(lock).uid === process.geteuid?.() && lockFile(lock) === 'locked') removeFolder(path);
  } finally {
    closeSync(lock);
  }
}

function openFolder(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

function isFolder(descriptor: number, path: string): boolean {
  const at = statSync(path, { throwIfNoEntry: false });
  return at !== undefined && at.ino === fstatSync(descriptor).ino;
}

function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
