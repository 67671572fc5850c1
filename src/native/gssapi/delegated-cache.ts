/** A forwarded ticket in a credential cache of its own, readable by this process's user only. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DelegatedCredentials } from '../../sspi/security-package.ts';
import { keyValueSet } from './acceptor-credential.ts';
import type { Frame } from './frame.ts';
import { GSS_S_COMPLETE } from './gss-status.ts';

const GSS_C_INITIATE = 1;

/** The cache; destroy it with its context. */
export interface DelegatedCache extends DelegatedCredentials {
  /** Removes the cache and the ticket in it. */
  destroy(): void;
}

/**
 * Stores a delegated credential (gss_store_cred_into) in a new folder of mode 0700.
 *
 * @param credential gss_cred_id_t that gss_accept_sec_context gave; the caller releases it
 * @param expiry when the context ends, which is when the ticket does
 * @returns undefined where it cannot be stored: the client then is signed in without delegation
 */
export function storeDelegated(frame: Frame, credential: bigint, expiry: Date | undefined): DelegatedCache | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sspi-auth-delegated-'));
  const destroy = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  const credentialCache = `FILE:${join(folder, 'ccache')}`;
  const buffers = keyValueSet(frame.library, { ccache: credentialCache });
  const [set] = buffers;
  if (set === undefined) return undefined;
  const { storeCredInto } = frame.library.gss;
  const at = frame.library.addressOf(set);
  const major = storeCredInto(frame.minor, credential, GSS_C_INITIATE, null, 1, 0, at, null, null);
  if (major !== GSS_S_COMPLETE || buffers.length === 0) {
    destroy();
    return undefined;
  }
  return { credentialCache, expiry, destroy };
}
