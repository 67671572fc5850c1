/**
 * The gss_cred_id_t of a keytab: acquired once, renewed when the file changes, so that a new key counts without a restart.
 *
 * The file is looked at once a second while tickets arrive, and at once when a ticket was refused: the first ticket under
 * a new key signs in. Calls that run on the old credential end on it; it is released after the last one.
 */
import type { GssapiExtensions } from './call/extensions.ts';
import type { Frame } from './call/frame.ts';
import type { KerberosSettings } from './call/kerberos-settings.ts';
import { fileSignature, readKeytab } from './keytab/keytab-file.ts';
import type { KeytabListing } from './keytab/keytab-file.ts';
import { copyKeytab } from './keytab/memory-keytab.ts';

/** How long a look at the file holds, in milliseconds. */
const LOOK_INTERVAL = 1000;

/** A credential in use. */
export interface HeldCredential {
  readonly handle: bigint;
  /** The keys it was made from. */
  readonly keytab: KeytabListing;
  /** Gives it back; once. */
  readonly release: () => void;
}

interface Generation {
  readonly handle: bigint;
  readonly keytab: KeytabListing;
  readonly signature: string | undefined;
  users: number;
  retired: boolean;
}

/** What an acceptor credential is made of. */
export interface AcceptorCredentialOptions {
  readonly frame: Frame;
  readonly extensions: GssapiExtensions;
  readonly settings: KerberosSettings;
}

export class AcceptorCredential {
  readonly #options: AcceptorCredentialOptions;
  #current: Generation;
  #looked: number;
  #reloadFailure: string | undefined;

  /** @throws SspiAuthError, MalformedTokenError or an error of the file system where the keytab cannot be used */
  constructor(options: AcceptorCredentialOptions) {
    this.#options = options;
    this.#current = this.#acquire();
    this.#looked = options.settings.clock.elapsed();
  }

  /** Why the changed keytab could not be loaded, so that the old keys still count; undefined where all is well. */
  get reloadFailure(): string | undefined {
    return this.#reloadFailure;
  }

  /** The credential of now. */
  hold(): HeldCredential {
    const now = this.#options.settings.clock.elapsed();
    if (now - this.#looked >= LOOK_INTERVAL) this.refresh();
    const generation = this.#current;
    generation.users++;
    let held = true;
    return {
      handle: generation.handle,
      keytab: generation.keytab,
      release: () => {
        if (!held) return;
        held = false;
        generation.users--;
        this.#releaseUnused(generation);
      },
    };
  }

  /**
   * Looks at the file and loads it where it changed. A file that is away or broken for a moment leaves the old keys.
   *
   * @returns whether there are new keys
   */
  refresh(): boolean {
    const { keytab, clock } = this.#options.settings;
    this.#looked = clock.elapsed();
    try {
      const signature = fileSignature(keytab);
      if (signature === this.#current.signature) return false;
      if (signature === undefined) throw new Error(`keytab ${keytab} is gone`);
      const next = this.#acquire();
      const last = this.#current;
      this.#current = next;
      this.#reloadFailure = undefined;
      last.retired = true;
      this.#releaseUnused(last);
      return true;
    } catch (error) {
      this.#reloadFailure = error instanceof Error ? error.message : 'unknown error';
      return false;
    }
  }

  /** Releases the credential, at once or after the last call that uses it. */
  free(): void {
    this.#current.retired = true;
    this.#releaseUnused(this.#current);
  }

  #releaseUnused(generation: Generation): void {
    if (!generation.retired || generation.users > 0) return;
    releaseCredential(this.#options.frame, generation.handle);
  }

  #acquire(): Generation {
    const { frame, extensions, settings } = this.#options;
    const { keytab } = settings;
    // The signature first: a change while the file is read is seen by the next look.
    const signature = fileSignature(keytab);
    const listing = readKeytab(keytab);
    const copy = copyKeytab(frame.library, extensions, keytab, settings.acceptsService);
    try {
      const handle = extensions.acquireAcceptor(frame, copy.name, settings);
      return { handle, keytab: listing, signature, users: 0, retired: false };
    } finally {
      copy.close();
    }
  }
}

/** Lets the library free a gss_cred_id_t. */
export function releaseCredential(frame: Frame, handle: bigint): void {
  frame.pointerValue = handle;
  frame.library.gss.releaseCred(frame.minor, frame.pointer);
}
