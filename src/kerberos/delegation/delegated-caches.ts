/** Stores forwarded tickets in credential caches of their own. Only the user of this process can read them. */
import { tmpdir } from 'node:os';
import type { DelegatedTicket } from '../../sspi/security-package.ts';
import type { DelegatedFile, DelegatedFiles } from './delegated-folder.ts';

/** The credential cache of one client. Destroy it when its context is deleted. */
export interface DelegatedCache extends DelegatedTicket {
  /** Removes the cache and the ticket in it. Further calls do nothing. */
  destroy(): void;
}

/** The delegated tickets of one acceptor credential. */
export class DelegatedCaches {
  readonly #files: DelegatedFiles;
  readonly #onWarning: (message: string) => void;
  /** The operator has been told that tickets cannot be stored. */
  #told = false;

  /** Removes what processes left that were killed. @param onWarning is called when tickets cannot be stored */
  constructor(files: DelegatedFiles, onWarning: (message: string) => void) {
    this.#files = files;
    this.#onWarning = onWarning;
    files.removeFoldersOfDeadProcesses(tmpdir());
  }

  /**
   * Stores a delegated credential.
   *
   * @param write writes the cache file, which must be of mode 0600. False or an error: it cannot be written
   * @param expiry when the context and the ticket expire
   * @returns undefined if it cannot be stored. The client is then signed in without delegation
   */
  store(write: (path: string) => boolean, expiry: Date | undefined): DelegatedCache | undefined {
    let file: DelegatedFile | undefined;
    let problem = 'the Kerberos library cannot write there';
    try {
      file = this.#files.newFile();
      if (write(file.path)) {
        this.#told = false;
        return { kind: 'ticket', credentialCache: `FILE:${file.path}`, expiry, destroy: () => this.#remove(file) };
      }
    } catch (error) {
      problem = messageOf(error);
    }
    this.#remove(file);
    this.#warn(problem);
    return undefined;
  }

  #remove(file: DelegatedFile | undefined): void {
    try {
      file?.remove();
    } catch (error) {
      this.#onWarning(
        `sspi-auth: the forwarded ticket ${file?.path} cannot be removed (${messageOf(error)}). Remove it.`,
      );
    }
  }

  /** Once, until a ticket can be stored again: clients must not be able to fill the log. */
  #warn(problem: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#onWarning(
      `sspi-auth: the tickets that clients forward cannot be stored in ${tmpdir()} (${problem}). Clients are signed in ` +
        'without delegatedCredentials. Give this process a folder that exists, that it may write to and that has ' +
        'space: the environment variable TMPDIR names it.',
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
