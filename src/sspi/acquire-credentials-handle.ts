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
  /**
   * fCredentialUse: `inbound`, the server side. `both` is handed on to Windows' packages (SECPKG_CRED_BOTH), and is the
   * same as `inbound` for the packages of this library: no function here uses the client side.
   */
  credentialUse: required(oneOf('inbound', 'both'), "Use 'inbound'."),
  /** pszPrincipal: the service that clients must mean; NTLM clients name it in their response, Digest has no such name. */
  principal: optional(text),
  /** pAuthData: what the package needs to verify clients, such as NtlmAuthData; see the package. */
  authData: optional((value: unknown): unknown => value),
};

/** Parameters of acquireCredentialsHandle. */
export type AcquireCredentialsHandleParameters = AuthDataOf<typeof parameterTable>;

/**
 * Gets the server's credential for a package. Free it with freeCredentialsHandle.
 *
 * Unlike the function of Windows, it returns the handle itself, and it throws if there is none. A server without a
 * credential must not start, and it would start if its code ignored a status.
 *
 * @returns the handle, or a promise of it if the package must wait
 * @throws OptionError if a parameter cannot be used; SspiAuthError `ERR_SSPI_AUTH_STATUS` if there is no such package,
 *   or the package has no credential
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
 * FreeCredentialsHandle. Contexts made with the credential stay valid until they are deleted.
 *
 * @returns SEC_E_OK; SEC_E_INVALID_HANDLE if the value is not a handle or was freed before
 */
export function freeCredentialsHandle(handle: CredentialHandle): number {
  const record = credentialRecord(handle);
  if (record === undefined || record.freed) return SEC_E_INVALID_HANDLE;
  releaseCredential(record);
  return SEC_E_OK;
}
