/**
 * Credential and context handles: opaque, unforgeable, and dead after deletion.
 *
 * A handle is an empty object to everyone else; what it stands for lies in a private field that only this module can
 * reach, so an object that was not made here, or whose field is empty, is SEC_E_INVALID_HANDLE (attacks B11, G09). A
 * WeakMap would do the same, with more work for the garbage collector.
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
  /** Stands for nothing and is never read; code compiled for handles outlives a full collection (formats/der.ts). */
  protected static readonly keptAlive = new ContextHandle();
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

/** A caller in JavaScript may give anything. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** What a credential handle stands for. */
export interface CredentialRecord {
  readonly package: SecurityPackage;
  readonly credential: PackageCredential;
  freed: boolean;
}

/** How far a context has come. */
export type ContextPhase = 'negotiating' | 'completing' | 'completingAndContinuing' | 'established';

/** What a context handle stands for. */
export interface ContextRecord {
  readonly package: SecurityPackage;
  readonly context: PackageContext;
  phase: ContextPhase;
  /** A call runs on the context: no other may start. */
  busy: boolean;
  /** deleteSecurityContext came while a call ran: the context is deleted when that call ends. */
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

/** The record of a handle, freed or not: some packages have a status of their own for a freed credential. */
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

export function contextRecord(handle: ContextHandle | undefined): ContextRecord | undefined {
  return readContext(handle);
}

/**
 * Takes the handle out of use and deletes its context, at once or when the call that runs on it ends.
 *
 * @returns false where the handle stood for nothing
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

/** Deletes a package's context. Its handle is gone already, so an exception could tell nobody anything. */
export function deletePackageContext(context: PackageContext): void {
  warnOfException(() => context.delete());
}

/** What a package throws while it lets something go concerns neither a result nor what else is to be let go. */
function warnOfException(release: () => void): void {
  try {
    release();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error), { type: 'SspiAuthWarning' });
  }
}
