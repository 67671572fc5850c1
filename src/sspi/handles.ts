/**
 * Handles of credentials and contexts. A handle is opaque, cannot be forged, and is invalid after deletion.
 *
 * Other modules see an empty object. What the handle stands for is in a private field that only this module can read.
 * An object that was not made here, or whose field is empty, gives SEC_E_INVALID_HANDLE (attacks B11, G09). A WeakMap
 * would do the same, with more work for the garbage collector.
 */
import type { PackageContext, PackageCredential, SecurityPackage } from './security-package.ts';

let readCredential: (handle: unknown) => CredentialRecord | undefined;
let writeCredential: (handle: CredentialHandle, record: CredentialRecord) => void;
let readContext: (handle: unknown) => ContextRecord | undefined;
let writeContext: (handle: ContextHandle, record: ContextRecord | undefined) => void;

/** Stands for a credential of acquireCredentialsHandle. Nothing can be read from it. */
export class CredentialHandle {
  declare private readonly credential: never;
  #record: CredentialRecord | undefined;

  constructor() {
    Object.freeze(this);
  }

  static {
    readCredential = (handle) => (isObject(handle) && #record in handle ? handle.#record : undefined);
    writeCredential = (handle, record) => {
      handle.#record = record;
    };
  }
}

/** Stands for a security context of acceptSecurityContext. Nothing can be read from it. */
export class ContextHandle {
  declare private readonly context: never;
  #record: ContextRecord | undefined;

  constructor() {
    Object.freeze(this);
  }

  static {
    readContext = (handle) => (isObject(handle) && #record in handle ? handle.#record : undefined);
    writeContext = (handle, record) => {
      handle.#record = record;
    };
  }
}

/** A caller in JavaScript may pass any value. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** What a credential handle stands for. */
export interface CredentialRecord {
  readonly package: SecurityPackage;
  readonly credential: PackageCredential;
  freed: boolean;
}

/** How far the handshake of a context has come. */
export type ContextPhase = 'negotiating' | 'completing' | 'completingAndContinuing' | 'established';

/** What a context handle stands for. */
export interface ContextRecord {
  readonly package: SecurityPackage;
  readonly context: PackageContext;
  phase: ContextPhase;
  /** A call runs on the context: no other may start. */
  busy: boolean;
  /** deleteSecurityContext was called while another call ran: the context is deleted when that call ends. */
  deleteWhenIdle: boolean;
}

let liveCredentials = 0;
let liveContexts = 0;

/** How many credentials and contexts have not been freed or deleted; for tests and for finding leaks. */
export function liveHandles(): { readonly credentials: number; readonly contexts: number } {
  return { credentials: liveCredentials, contexts: liveContexts };
}

export function registerCredential(owner: SecurityPackage, credential: PackageCredential): CredentialHandle {
  const handle = new CredentialHandle();
  writeCredential(handle, { package: owner, credential, freed: false });
  liveCredentials++;
  return handle;
}

/**
 * The record of a handle; undefined for any other value. The record of a freed credential is given too: some packages
 * have their own status for it.
 */
export function credentialRecord(handle: CredentialHandle | undefined): CredentialRecord | undefined {
  return readCredential(handle);
}

/** Frees the credential behind a record, once. */
export function releaseCredential(record: CredentialRecord): void {
  if (record.freed) return;
  record.freed = true;
  liveCredentials--;
  warnOfException(() => record.credential.free());
}

export function registerContext(owner: SecurityPackage, context: PackageContext, phase: ContextPhase): ContextHandle {
  const handle = new ContextHandle();
  writeContext(handle, { package: owner, context, phase, busy: false, deleteWhenIdle: false });
  liveContexts++;
  return handle;
}

/** The record of a handle; undefined for any other value and for a deleted context. */
export function contextRecord(handle: ContextHandle | undefined): ContextRecord | undefined {
  return readContext(handle);
}

/**
 * Makes the handle invalid and deletes its context: at once, or when the call that runs on it ends.
 *
 * @returns false if the handle was not valid
 */
export function releaseContext(handle: ContextHandle): boolean {
  const record = readContext(handle);
  if (record === undefined) return false;
  writeContext(handle, undefined);
  liveContexts--;
  if (record.busy) record.deleteWhenIdle = true;
  else deletePackageContext(record.context);
  return true;
}

/**
 * Deletes a package's context. No handle refers to it any more and no caller could handle an exception, so an exception
 * becomes a process warning.
 */
export function deletePackageContext(context: PackageContext): void {
  warnOfException(() => context.delete());
}

/**
 * Calls a package's release function and turns an exception into a process warning. An exception must not change a
 * result, and must not stop the release of anything else.
 */
function warnOfException(release: () => void): void {
  try {
    release();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error), { type: 'SspiAuthWarning' });
  }
}
