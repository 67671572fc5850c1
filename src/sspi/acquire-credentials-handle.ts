/** AcquireCredentialsHandle and FreeCredentialsHandle (General). */
import { OptionError } from '../foundation/errors.ts';
import { optional, readOptions, required } from '../foundation/option-table.ts';
import type { AuthDataOf } from '../foundation/option-table.ts';
import { oneOf, shown, text } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import { credentialRecord, registerCredential, releaseCredential } from './handles.ts';
import type { CredentialHandle } from './handles.ts';
import type { PackageCredential, SecurityPackage } from './security-package.ts';
import { securityPackage } from './security-packages.ts';
import { SEC_E_INVALID_HANDLE, SEC_E_OK } from './status.ts';

const packageOrName: Reader<string | SecurityPackage> = (value, option) => {
  const given = value as Partial<SecurityPackage> | null;
  if (typeof value !== 'string' && typeof given?.acquireCredentials !== 'function') {
    throw new OptionError(option, shown(value), 'Give a name that enumerateSecurityPackages lists, or the package.');
  }
  return value as string | SecurityPackage;
};

const parameterTable = {
  /** pszPackage: a name that enumerateSecurityPackages lists, or the package itself. */
  package: required(packageOrName, 'Give a name that enumerateSecurityPackages lists, or the package.'),
  /** fCredentialUse: this library accepts, so inbound. */
  credentialUse: required(oneOf('inbound', 'both'), "Use 'inbound'."),
  /** pszPrincipal: the service principal to accept for. */
  principal: optional(text),
  /** pAuthData: what the package verifies with, such as NtlmAuthData; see the package. */
  authData: optional((value: unknown): unknown => value),
};

/** Parameters of acquireCredentialsHandle. */
export type AcquireCredentialsHandleParameters = AuthDataOf<typeof parameterTable>;

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
  const { credentialUse, principal, authData, package: named } = readOptions(parameterTable, parameters, 'options');
  const owner = typeof named === 'string' ? securityPackage(named) : named;
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
