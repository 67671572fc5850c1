/** A forwarded ticket in a credential cache of its own, readable by this process's user only. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DelegatedCredentials } from '../../sspi/security-package.ts';
import type { GssapiExtensions } from './call/extensions.ts';
import type { Frame } from './call/frame.ts';

/** The cache; destroy it with its context. */
export interface DelegatedCache extends DelegatedCredentials {
  /** Removes the cache and the ticket in it. */
  destroy(): void;
}

/**
 * Stores a delegated credential in a new folder of mode 0700.
 *
 * @param credential gss_cred_id_t that gss_accept_sec_context gave; the caller releases it
 * @param expiry when the context ends, which is when the ticket does
 * @returns undefined where it cannot be stored: the client then is signed in without delegation
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
