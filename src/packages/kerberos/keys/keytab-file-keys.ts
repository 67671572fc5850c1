/**
 * The keys of a keytab file. They are read again when the file changes, so that new keys are used without a restart.
 *
 * While tickets arrive, the file is looked at once a second. It is also looked at when a ticket was refused, so that the
 * first ticket under a new key is accepted; but clients that send such tickets all the time cause no more looks than
 * CheckBudget allows. If the file is missing or broken, the old keys stay in use.
 */
import { readFileSync, statSync } from 'node:fs';
import { decodeKeytabKeys } from '../../../formats/kerberos/keytab.ts';
import type { KeytabEntry } from '../../../formats/kerberos/keytab.ts';
import type { TicketHeader } from '../../../formats/kerberos/kerberos-token.ts';
import { requireUsableKeys } from '../../../formats/kerberos/usable-keys.ts';
import { CheckBudget } from '../../../foundation/check-budget.ts';
import type { Clock } from '../../../foundation/clock.ts';
import { OptionError } from '../../../foundation/errors.ts';
import { fileExposure, processReader } from '../../../foundation/file-exposure.ts';
import { fileSignature } from '../../../foundation/file-signature.ts';
import type { AcceptedServices, ServiceKey, ServiceKeys } from '../service-keys.ts';
import { withoutKey } from './given-keys.ts';
import { KeyRing } from './key-ring.ts';

/** Time between two looks at the file, in milliseconds. */
const CHECK_INTERVAL = 1000;

/** What a source over a file needs. */
export interface KeytabFileOptions extends AcceptedServices {
  readonly path: string;
  /** The option that named the file, for errors. */
  readonly option: string;
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
}

interface Reading {
  readonly ring: KeyRing;
  readonly entries: readonly KeytabEntry[];
  readonly signature: string | undefined;
}

export class KeytabFileKeys implements ServiceKeys {
  readonly #options: KeytabFileOptions;
  readonly #budget: CheckBudget;
  #current: Reading;
  #checkedAt: number;
  #reloadFailure: string | undefined;
  /** The file that could not be read, and when that was tried. It is not read again at once. */
  #failed: { readonly signature: string | undefined; readonly at: number } | undefined;
  /** The operator has been told that others may read or change the file, and it is still so. */
  #toldOfExposure = false;

  /** @throws OptionError if the file cannot be read, is no keytab, or has no key that may be used */
  constructor(options: KeytabFileOptions) {
    this.#options = options;
    this.#budget = new CheckBudget(options.clock);
    this.#checkedAt = options.clock.elapsed();
    try {
      this.#current = this.#read();
    } catch (error) {
      if (error instanceof OptionError) throw error;
      throw new OptionError(
        options.option,
        `is ${options.path}, which cannot be used (${reasonOf(error)})`,
        'Check the path, the owner and the mode, and that the file is a keytab. This process must be able to read it.',
      );
    }
  }

  get reloadFailure(): string | undefined {
    return this.#reloadFailure;
  }

  candidates(ticket: TicketHeader): readonly ServiceKey[] {
    this.#look();
    return this.#current.ring.candidates(ticket);
  }

  holds(key: ServiceKey): boolean {
    this.#look();
    return this.#current.ring.holds(key);
  }

  refreshAfterRefusal(): boolean {
    return this.#budget.take() && this.#refresh();
  }

  entries(): readonly KeytabEntry[] {
    return this.#current.entries;
  }

  describe(): string {
    return this.#options.path;
  }

  free(): void {
    this.#current.ring.wipe();
  }

  #look(): void {
    if (this.#options.clock.elapsed() - this.#checkedAt >= CHECK_INTERVAL) this.#refresh();
  }

  /** Looks at the file and reads it if it changed. */
  #refresh(): boolean {
    const { path, clock, onWarning } = this.#options;
    const now = clock.elapsed();
    this.#checkedAt = now;
    let signature: string | undefined;
    try {
      signature = fileSignature(path);
      if (signature === this.#current.signature) {
        this.#reloadFailure = undefined;
        return false;
      }
      const failed = this.#failed;
      if (failed !== undefined && failed.signature === signature && now - failed.at < CHECK_INTERVAL) return false;
      if (signature === undefined) throw new Error(`keytab ${path} does not exist any more`);
      const last = this.#current;
      this.#current = this.#read(last.ring);
      last.ring.wipe(this.#current.ring);
      this.#reloadFailure = undefined;
      this.#failed = undefined;
      return true;
    } catch (error) {
      const reason = reasonOf(error);
      if (this.#reloadFailure === undefined) {
        onWarning(`sspi-auth: the changed keytab ${path} cannot be used, so the old keys stay in use: ${reason}`);
      }
      this.#failed = { signature, at: now };
      this.#reloadFailure = reason;
      return false;
    }
  }

  #read(last?: KeyRing): Reading {
    const { path, option, services, acceptsService, encryptionTypes } = this.#options;
    // The signature is taken first: if the file changes while it is read, the next look finds that.
    const signature = fileSignature(path);
    const bytes = readFileSync(path);
    try {
      const keys = decodeKeytabKeys(bytes);
      requireUsableKeys(keys, { option, subject: `is ${path}, which `, acceptsService, services, encryptionTypes });
      this.#warnOfExposure();
      return { ring: new KeyRing(keys, this.#options, last), entries: keys.map(withoutKey), signature };
    } finally {
      bytes.fill(0);
    }
  }

  /** Says it when the file is read, and not again while it stays so. */
  #warnOfExposure(): void {
    const { path, onWarning } = this.#options;
    const reader = processReader();
    const exposure = reader === undefined ? undefined : fileExposure(path, statSync(path), reader);
    if (exposure !== undefined && !this.#toldOfExposure) {
      onWarning(`sspi-auth: who has the keys of keytab ${path} can sign in here as anybody, and it ${exposure}`);
    }
    this.#toldOfExposure = exposure !== undefined;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
