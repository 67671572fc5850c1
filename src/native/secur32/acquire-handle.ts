/** AcquireCredentialsHandleW. */
import { SECPKG_CRED_BOTH, SECPKG_CRED_INBOUND } from '../../sspi/attributes.ts';
import type { AcquireCredentialsParameters } from '../../sspi/security-package.ts';
import { SEC_E_INTERNAL_ERROR, SEC_E_OK } from '../../sspi/status.ts';
import { isHandle, NativeHandle } from './native-handles.ts';
import type { Provider } from './provider.ts';
import { giveBackCallMemory, takeCallMemory } from './security-buffers.ts';
import { dateOfTimeStamp } from './time-stamp.ts';

/** A native credential, or the status of the failure. */
export type AcquiredHandle =
  | { readonly handle: NativeHandle; readonly expiry: Date | undefined }
  | { readonly handle?: undefined; readonly status: number };

/**
 * Calls AcquireCredentialsHandleW.
 *
 * @param authData address of the structure for pAuthData, null for none
 */
export function acquireHandle(
  { library, info }: Provider,
  { credentialUse, principal }: Pick<AcquireCredentialsParameters, 'credentialUse' | 'principal'>,
  authData: bigint | null,
): AcquiredHandle {
  const memory = takeCallMemory(0);
  try {
    const status =
      library.security.AcquireCredentialsHandleW(
        principal ?? null,
        info.name,
        credentialUse === 'both' ? SECPKG_CRED_BOTH : SECPKG_CRED_INBOUND,
        null,
        authData,
        null,
        null,
        memory.handleAddress,
        memory.expiryAddress,
      ) >>> 0;
    if (status !== SEC_E_OK) return { status };
    if (!isHandle(memory.handle)) return { status: SEC_E_INTERNAL_ERROR };
    const handle = new NativeHandle(library, 'credentials', memory.handle);
    return { handle, expiry: dateOfTimeStamp(memory.expiry, library.token) };
  } finally {
    giveBackCallMemory(memory);
  }
}
