/** Scratch folders: one per test, made under the system's temporary folder and removed afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that exists until it is disposed of. */
export interface ScratchFolder extends AsyncDisposable {
  /** Absolute path. */
  readonly path: string;
  /** A path inside the folder; nothing is created. */
  file(...names: string[]): string;
  /** Removes the folder and all it holds. */
  remove(): Promise<void>;
}

/**
 * Makes a new empty folder, readable by its owner only.
 *
 * @param purpose a short word that becomes part of the folder's name
 */
export async function scratchFolder(purpose: string): Promise<ScratchFolder> {
  const path = await mkdtemp(join(tmpdir(), `sspi-auth-${purpose}-`));
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 5 });
  return { path, file: (...names) => join(path, ...names), remove, [Symbol.asyncDispose]: remove };
}
