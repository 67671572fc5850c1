/**
 * Credential and context handles: opaque, unforgeable, and dead after deletion.
 *
 * A handle is an empty object; what it stands for lies in a WeakMap that only this module can reach, so an object that
 * was not made here, or whose entry is gone, is SEC_E_INVALID_HANDLE (attacks B11, G09).
 */
import type { PackageContext, PackageCredential, SecurityPackage } from './security-package.ts';

/** Stands for a credential of acquireCredentialsHandle. Nothing can be read from it. */
export class CredentialHandle {
  declare private readonly credential: never;
  constructor() {
    Object.freeze(this);
  }
}

/** Stands for a security context of acceptSecurityContext. Nothing can be read from it. */
export class ContextHandle {
  declare private readonly context: never;
  constructor() {
    Object.freeze(this);
  }
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

const credentials = new WeakMap<CredentialHandle, CredentialRecord>();
const contexts = new WeakMap<ContextHandle, ContextRecord>();
let liveCredentials = 0;
let liveContexts = 0;

/** How many credentials and contexts have not been freed or deleted; for tests and for finding leaks. */
export function liveHandles(): { readonly credentials: number; readonly contexts: number } {
  return { credentials: liveCredentials, contexts: liveContexts };
}

export function registerCredential(owner: SecurityPackage, credential: PackageCredential): CredentialHandle {
  const handle = new CredentialHandle();
  credentials.set(handle, { package: owner, credential, freed: false });
  liveCredentials++;
  return handle;
}

/** The record of a handle, freed or not: some packages have a status of their own for a freed credential. */
export function credentialRecord(handle: CredentialHandle | undefined): CredentialRecord | undefined {
  return handle === undefined ? undefined : credentials.get(handle);
}

/** Frees the credential behind a record, once. */
export function releaseCredential(record: CredentialRecord): void {
  if (record.freed) return;
  record.freed = true;
  liveCredentials--;
  record.credential.free();
}

export function registerContext(owner: SecurityPackage, context: PackageContext, phase: ContextPhase): ContextHandle {
  const handle = new ContextHandle();
  contexts.set(handle, { package: owner, context, phase, busy: false, deleteWhenIdle: false });
  liveContexts++;
  return handle;
}

export function contextRecord(handle: ContextHandle | undefined): ContextRecord | undefined {
  return handle === undefined ? undefined : contexts.get(handle);
}

/**
 * Takes the handle out of use and deletes its context, at once or when the call that runs on it ends.
 *
 * @returns false where the handle stood for nothing
 */
export function releaseContext(handle: ContextHandle): boolean {
  const record = contexts.get(handle);
  if (record === undefined) return false;
  contexts.delete(handle);
  liveContexts--;
  if (record.busy) record.deleteWhenIdle = true;
  else deletePackageContext(record.context);
  return true;
}

/** Deletes a package's context. Its handle is gone already, so an exception could tell nobody anything. */
export function deletePackageContext(context: PackageContext): void {
  try {
    context.delete();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error), { type: 'SspiAuthWarning' });
  }
}
