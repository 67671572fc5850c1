/** AcquireCredentialsHandle and FreeCredentialsHandle (General). */
import { OptionError } from '../foundation/errors.ts';
import { credentialRecord, registerCredential, releaseCredential } from './handles.ts';
import type { CredentialHandle } from './handles.ts';
import type { PackageCredential, SecurityPackage } from './security-package.ts';
import { securityPackage } from './security-packages.ts';
import { SEC_E_INVALID_HANDLE, SEC_E_OK } from './status.ts';

/** Parameters of acquireCredentialsHandle. */
export interface AcquireCredentialsHandleParameters {
  /** pszPackage: a name that enumerateSecurityPackages lists, or the package itself. */
  readonly package: string | SecurityPackage;
  /** fCredentialUse: this library accepts, so inbound. */
  readonly credentialUse: 'inbound' | 'both';
  /** pszPrincipal: the service principal to accept for. */
  readonly principal?: string | undefined;
  /** pAuthData: what the package verifies with, such as NtlmAuthData; see the package. */
  readonly authData?: unknown;
}

/**
 * Gets the server's credential for a package. Free it with freeCredentialsHandle.
 *
 * Unlike Windows' function it gives the handle itself and throws where it cannot: a server without a credential cannot
 * start, and an ignored status would leave it running.
 *
 * @returns the handle; a promise of it for packages that must ask somebody
 * @throws OptionError where a parameter cannot be used; SspiAuthError `ERR_SSPI_AUTH_STATUS` where there is no such
 *   package or the package has no credential
 */
export function acquireCredentialsHandle(
  parameters: AcquireCredentialsHandleParameters,
): CredentialHandle | Promise<CredentialHandle> {
  const { credentialUse, principal, authData } = parameters;
  if (credentialUse !== 'inbound' && credentialUse !== 'both') {
    throw new OptionError('credentialUse', `is ${JSON.stringify(credentialUse)}`, "Use 'inbound'.");
  }
  const owner = typeof parameters.package === 'string' ? securityPackage(parameters.package) : parameters.package;
  const register = (credential: PackageCredential): CredentialHandle => registerCredential(owner, credential);
  const acquired = owner.acquireCredentials({ credentialUse, principal, authData });
  return acquired instanceof Promise ? acquired.then(register) : register(acquired);
}

/**
 * FreeCredentialsHandle. Contexts made with the credential live on until they are deleted.
 *
 * @returns SEC_E_OK, or SEC_E_INVALID_HANDLE for a handle that is not one or was freed before
 */
export function freeCredentialsHandle(handle: CredentialHandle): number {
  const record = credentialRecord(handle);
  if (record === undefined || record.freed) return SEC_E_INVALID_HANDLE;
  releaseCredential(record);
  return SEC_E_OK;
}
