/**
 * The acceptor credential (gss_cred_id_t) of a keytab. It is acquired again when the file changes, so that new keys are
 * used without a restart.
 *
 * While tickets arrive, the file is checked once a second. It is also checked when a ticket was refused, so that the
 * first ticket under a new key is accepted; but clients that send such tickets all the time do not cause more checks
 * than CheckBudget allows. Calls that run with the old credential finish with it. After the last of
 * them it is released.
 */
import { statSync } from 'node:fs';
import { CheckBudget } from '../../foundation/check-budget.ts';
import { fileExposure, processReader } from '../../foundation/file-exposure.ts';
import { fileSignature } from '../../foundation/file-signature.ts';
import type { KerberosProvider } from './call/extensions.ts';
import { releaseCredential } from './call/release.ts';
import { readKeytab } from './keytab/keytab-file.ts';
import type { KeytabListing } from '../../kerberos/diagnosis.ts';
import { copyKeytab } from './keytab/memory-keytab.ts';

/** Time between two checks of the keytab file, in milliseconds. */
const CHECK_INTERVAL = 1000;

/** A credential that a call uses. */
export interface HeldCredential {
  readonly handle: bigint;
  /** The keytab entries from which the credential was made. */
  readonly keytab: KeytabListing;
  /** Ends the use. Further calls do nothing. */
  readonly release: () => void;
}

interface Generation {
  readonly handle: bigint;
  readonly keytab: KeytabListing;
  readonly signature: string | undefined;
  users: number;
  retired: boolean;
}

export class AcceptorCredential {
  readonly #provider: KerberosProvider;
  #current: Generation;
  readonly #budget: CheckBudget;
  #checkedAt: number;
  #reloadFailure: string | undefined;
  /** The operator has been told that others may read or change the keytab, and it is still so. */
  #toldOfExposure = false;
  /** The file that could not be loaded, and when that was tried. It is not read again at once. */
  #failed: { readonly signature: string; readonly at: number } | undefined;

  /**
   * Loads the keytab and acquires the credential.
   *
   * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` if the library refuses the keytab
   * @throws MalformedTokenError `ERR_SSPI_AUTH_MALFORMED` if the file is not a keytab
   * @throws Error of the file system if the file cannot be read
   */
  constructor(provider: KerberosProvider) {
    this.#provider = provider;
    this.#current = this.#acquire();
    this.#checkedAt = provider.settings.clock.elapsed();
    this.#budget = new CheckBudget(provider.settings.clock);
  }

  /**
   * Why the changed keytab could not be loaded; the old keys are then still in use. Undefined if there is no problem.
   */
  get reloadFailure(): string | undefined {
    return this.#reloadFailure;
  }

  /** The current credential. It is not freed until its `release` is called. */
  hold(): HeldCredential {
    const now = this.#provider.settings.clock.elapsed();
    if (now - this.#checkedAt >= CHECK_INTERVAL) this.#refresh();
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
   * Checks the file after a ticket was refused, and loads it if it changed. Does nothing if refused tickets have caused
   * too many checks.
   *
   * @returns whether the keytab was loaded again
   */
  refreshAfterRefusal(): boolean {
    return this.#budget.take() && this.#refresh();
  }

  /** Checks the file and loads it if it changed. If the file is missing or broken, the old keys stay in use. */
  #refresh(): boolean {
    const { keytab, clock } = this.#provider.settings;
    const now = clock.elapsed();
    this.#checkedAt = now;
    let signature: string | undefined;
    try {
      signature = fileSignature(keytab);
      if (signature === this.#current.signature) {
        this.#reloadFailure = undefined;
        return false;
      }
      const failed = this.#failed;
      if (failed !== undefined && failed.signature === signature && now - failed.at < CHECK_INTERVAL) return false;
      if (signature === undefined) throw new Error(`keytab ${keytab} does not exist any more`);
      const next = this.#acquire();
      const last = this.#current;
      this.#current = next;
      this.#reloadFailure = undefined;
      this.#failed = undefined;
      last.retired = true;
      this.#releaseUnused(last);
      return true;
    } catch (error) {
      this.#failed = signature === undefined ? undefined : { signature, at: now };
      this.#reloadFailure = error instanceof Error ? error.message : 'unknown error';
      return false;
    }
  }

  /** Releases the credential as soon as no call uses it. */
  free(): void {
    this.#current.retired = true;
    this.#releaseUnused(this.#current);
  }

  #releaseUnused(generation: Generation): void {
    if (!generation.retired || generation.users > 0) return;
    releaseCredential(this.#provider.frame, generation.handle);
  }

  /** Says it when a keytab is loaded, and not again while it stays so. */
  #warnOfExposure(): void {
    const { keytab, onWarning } = this.#provider.settings;
    const reader = processReader();
    const exposure = reader === undefined ? undefined : fileExposure(keytab, statSync(keytab), reader);
    if (exposure !== undefined && !this.#toldOfExposure) {
      onWarning(`sspi-auth: who has the keys of keytab ${keytab} can sign in here as anybody, and it ${exposure}`);
    }
    this.#toldOfExposure = exposure !== undefined;
  }

  #acquire(): Generation {
    const { frame, extensions, settings } = this.#provider;
    const { keytab } = settings;
    // The signature is taken first: if the file changes while it is read, the next check finds that.
    const signature = fileSignature(keytab);
    const listing = readKeytab(keytab);
    this.#warnOfExposure();
    const copy = copyKeytab(frame.library, extensions, keytab, settings.acceptsService);
    try {
      const handle = extensions.acquireAcceptor(frame, copy.name, settings);
      return { handle, keytab: listing, signature, users: 0, retired: false };
    } finally {
      copy.close();
    }
  }
}
