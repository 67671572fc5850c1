/**
 * The gss_cred_id_t of a keytab: acquired once, renewed when the file changes, so that a new key counts without a restart.
 *
 * The file is looked at once a second while tickets arrive, and at once when a ticket was refused: the first ticket under
 * a new key signs in. Calls that run on the old credential end on it; it is released after the last one.
 */
import { SspiAuthError } from '../../errors.ts';
import type { Clock } from '../../sspi/clock.ts';
import type { Frame } from './frame.ts';
import { statusText, GSS_S_COMPLETE } from './gss-status.ts';
import { fileSignature, readKeytab } from './keytab-file.ts';
import type { KeytabListing } from './keytab-file.ts';
import type { GssapiLibrary } from './library.ts';
import { copyKeytab } from './memory-keytab.ts';

/** How long a look at the file holds, in milliseconds. */
const LOOK_INTERVAL = 1000;

const GSS_C_ACCEPT = 2;
const GSS_C_INDEFINITE = 0xffffffff;

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
  readonly keytab: string;
  /** Replay cache as libkrb5 names it, such as `dfl:`. */
  readonly replayCache: string;
  /** Encryption types that are taken for tickets, session keys and subkeys. */
  readonly encryptionTypes: readonly number[];
  readonly clock: Clock;
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
    this.#looked = options.clock.elapsed();
  }

  /** Why the changed keytab could not be loaded, so that the old keys still count; undefined where all is well. */
  get reloadFailure(): string | undefined {
    return this.#reloadFailure;
  }

  /** The credential of now. */
  hold(): HeldCredential {
    const now = this.#options.clock.elapsed();
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
    const { keytab, clock } = this.#options;
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
    const { frame, keytab, replayCache, encryptionTypes } = this.#options;
    // The signature first: a change while the file is read is seen by the next look.
    const signature = fileSignature(keytab);
    const listing = readKeytab(keytab);
    const copy = copyKeytab(frame.library, keytab);
    try {
      const handle = acquireFrom(frame, { keytab: copy.name, rcache: replayCache });
      try {
        setEncryptionTypes(frame, handle, encryptionTypes);
      } catch (error) {
        releaseCredential(frame, handle);
        throw error;
      }
      return { handle, keytab: listing, signature, users: 0, retired: false };
    } finally {
      copy.close();
    }
  }
}

function releaseCredential(frame: Frame, handle: bigint): void {
  frame.pointerValue = handle;
  frame.library.gss.releaseCred(frame.minor, frame.pointer);
}

/** A gss_key_value_set_desc (gssapi_ext.h), and the buffers it points at, which must stay referenced during the call. */
export function keyValueSet(library: GssapiLibrary, store: Readonly<Record<string, string>>): readonly Buffer[] {
  const entries = Object.entries(store);
  const elements = Buffer.alloc(16 * entries.length);
  const texts = entries.flatMap(([key, value], index) => {
    const pair = [Buffer.from(`${key}\0`), Buffer.from(`${value}\0`)] as const;
    elements.writeBigUInt64LE(library.addressOf(pair[0]), 16 * index);
    elements.writeBigUInt64LE(library.addressOf(pair[1]), 16 * index + 8);
    return pair;
  });
  const set = Buffer.alloc(16);
  set.writeUInt32LE(entries.length, 0);
  set.writeBigUInt64LE(library.addressOf(elements), 8);
  return [set, elements, ...texts];
}

function acquireFrom(frame: Frame, store: Readonly<Record<string, string>>): bigint {
  const { library } = frame;
  const buffers = keyValueSet(library, store);
  const [set] = buffers;
  if (set === undefined) throw new Error('empty credential store');
  frame.clear();
  const { acquireCredFrom } = library.gss;
  const at = library.addressOf(set);
  const major = acquireCredFrom(frame.minor, null, GSS_C_INDEFINITE, null, GSS_C_ACCEPT, at, frame.pointer, null, null);
  if (major !== GSS_S_COMPLETE) throw failure(frame, 'gss_acquire_cred_from', major);
  // Read after the call, so that nothing the set points at is collected before.
  return buffers.length > 0 ? frame.pointerValue : 0n;
}

function setEncryptionTypes(frame: Frame, handle: bigint, encryptionTypes: readonly number[]): void {
  const { library } = frame;
  const list = Buffer.alloc(4 * encryptionTypes.length);
  for (const [index, type] of encryptionTypes.entries()) list.writeInt32LE(type, 4 * index);
  const at = library.addressOf(list);
  const major = library.gss.setAllowableEnctypes(frame.minor, handle, list.byteLength / 4, at);
  if (major !== GSS_S_COMPLETE) throw failure(frame, 'gss_krb5_set_allowable_enctypes', major);
}

function failure(frame: Frame, name: string, major: number): SspiAuthError {
  const text = statusText(frame, major, frame.minorStatus);
  return new SspiAuthError('ERR_SSPI_AUTH_STATUS', `sspi-auth: ${name}: ${text}`);
}
