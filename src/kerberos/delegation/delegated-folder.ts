/**
 * The folder with the delegated tickets of this process: of mode 0700, in the temporary folder of the system. It exists
 * while there are tickets in it.
 *
 * It ends with the process. Where the process has no time for that (SIGKILL, a crash), the next one that starts removes
 * it. Which folders are still in use, each provider tells in its own way (FolderOwnership).
 */
import { randomUUID } from 'node:crypto';
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whenProcessEnds } from './process-end.ts';

const MAX_ATTEMPTS = 5;

/** `unavailable`: the file system or the platform has no locks. */
export type LockResult = 'locked' | 'held by another' | 'unavailable';

/** How the folder of a running process is told from that of a dead one. */
export interface FolderOwnership {
  /** What the names of all these folders begin with. */
  readonly prefix: string;
  /** What the names of this process's folders begin with: the prefix, and perhaps a mark of the process. */
  readonly ownPrefix: string;
  /** Locks a folder without waiting. The lock ends with the descriptor, and so with the process. */
  readonly lock: (descriptor: number) => LockResult;
  /** Whether the process that made a folder has ended. @param name of the folder */
  readonly isDead: (name: string, descriptor: number) => boolean;
}

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

/** The files of this process, in one folder. A worker thread has one of its own. */
export class DelegatedFiles {
  readonly #ownership: FolderOwnership;
  /** The folder that new files are made in. */
  #current: LockedFolder | undefined;

  constructor(ownership: FolderOwnership) {
    this.#ownership = ownership;
  }

  /**
   * Names a new file for a ticket, in a folder that no other user can enter.
   *
   * @throws Error of the file system if there is no folder for it
   */
  newFile(): DelegatedFile {
    // Somebody may have emptied the temporary folder.
    if (this.#current?.isThere() !== true) this.#current = new LockedFolder(tmpdir(), this.#ownership);
    const folder = this.#current;
    const path = folder.add();
    return {
      path,
      remove: () => {
        if (folder.remove(path) && this.#current === folder) this.#current = undefined;
      },
    };
  }

  /**
   * Removes the folders that dead processes of this user have left in a folder. Never throws: what cannot be removed
   * stays.
   */
  removeFoldersOfDeadProcesses(parent: string): void {
    let names: readonly string[];
    try {
      names = readdirSync(parent).filter((name) => name.startsWith(this.#ownership.prefix));
    } catch {
      return;
    }
    for (const name of names) {
      try {
        removeIfDead(parent, name, this.#ownership);
      } catch {
        // Another process removes it too, or it is not what it seems to be.
      }
    }
  }
}

class LockedFolder {
  readonly #path: string;
  readonly #lock: number;
  readonly #files = new Set<string>();
  /** Takes back what whenProcessEnds has registered. */
  readonly #unregister: () => void;

  constructor(parent: string, ownership: FolderOwnership) {
    ({ path: this.#path, lock: this.#lock } = newLockedFolder(parent, ownership));
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

function newLockedFolder(
  parent: string,
  { ownPrefix, lock: lockFile }: FolderOwnership,
): { readonly path: string; readonly lock: number } {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const path = mkdtempSync(join(parent, ownPrefix));
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

function removeIfDead(parent: string, name: string, { isDead }: FolderOwnership): void {
  const path = join(parent, name);
  const lock = openFolder(path);
  try {
    // The temporary folder is everybody's: what another user puts there has no say in what is removed.
    if (fstatSync(lock).uid === process.geteuid?.() && isDead(name, lock)) removeFolder(path);
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
