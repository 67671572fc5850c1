/** Stores a forwarded ticket in a credential cache of its own. Only the user of this process can read it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DelegatedCredentials } from '../../sspi/security-package.ts';
import type { GssapiExtensions } from './call/extensions.ts';
import type { Frame } from './call/frame.ts';

/** The credential cache of one client. Destroy it when its context is deleted. */
export interface DelegatedCache extends DelegatedCredentials {
  /** Removes the cache and the ticket in it. */
  destroy(): void;
}

/**
 * Stores a delegated credential in a new folder of mode 0700.
 *
 * @param credential the gss_cred_id_t from gss_accept_sec_context. The caller releases it
 * @param expiry when the context and the ticket expire
 * @returns undefined if the library cannot store it. The client is then signed in without delegation
 * @throws Error of the file system if the folder cannot be made
 */
export function storeDelegated(
  frame: Frame,
  extensions: GssapiExtensions,
  credential: bigint,
  expiry: Date | undefined,
): DelegatedCache | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sspi-auth-delegated-'));
  const destroy = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  const credentialCache = `FILE:${join(folder, 'ccache')}`;
  let stored = false;
  try {
    stored = extensions.storeDelegated(frame, credential, credentialCache);
  } finally {
    if (!stored) destroy();
  }
  return stored ? { credentialCache, expiry, destroy } : undefined;
}
