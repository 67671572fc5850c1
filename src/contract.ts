/**
 * The public entry point of the contract (`sspi-auth/sspi`): AcceptSecurityContext and its companion functions. It adds
 * the security packages of this machine: those of Windows on Windows, those of this library elsewhere.
 */
import { addMachinePackages } from './authenticator/providers/machine-packages.ts';
import type { AuthDataByPackage, liveNativeHandles } from './authenticator/providers/machine-packages.ts';
import { acquireCredentialsHandle as acquire } from './sspi/index.ts';
import type { AcquireCredentialsHandleParameters, CredentialHandle, SecurityPackage } from './sspi/index.ts';

addMachinePackages();

export type {
  AuthDataByPackage,
  CertificateNames,
  ClientCertificate,
  CredSspAuthData,
  DigestAuthData,
  KerberosAuthData,
  MapCertificate,
  NegotiateAuthData,
  NegotiateInnerPackage,
  NtlmAuthData,
  SchannelAuthData,
  Secur32AuthData,
  Secur32CredSspAuthData,
  Secur32SchannelAuthData,
} from './authenticator/providers/machine-packages.ts';
/** Those of this library, on Windows too, where the names stand for Windows' own. */
export { credsspPackage, schannelPackage } from './authenticator/providers/machine-packages.ts';
export { liveNativeHandles } from './authenticator/providers/machine-packages.ts';
export * from './sspi/index.ts';
/** What the operating system gives out and liveNativeHandles counts. */
export type NativeKind = keyof ReturnType<typeof liveNativeHandles>;

/** Parameters of acquireCredentialsHandle. The type of `authData` follows from the package. */
export type AcquireParameters<P extends string | SecurityPackage> = Omit<
  AcquireCredentialsHandleParameters,
  'package' | 'authData'
> & {
  /** pszPackage: a name that enumerateSecurityPackages lists, or the package itself. */
  readonly package: P;
  /** pAuthData: what the package needs to verify clients, such as NtlmAuthData; for those of Windows Secur32AuthData. */
  readonly authData?: P extends keyof AuthDataByPackage ? AuthDataByPackage[P] : unknown;
};

/**
 * Gets the server's credential for a package. Free it with freeCredentialsHandle.
 *
 * Unlike the function of Windows, it returns the handle itself, and it throws if there is none. A server without a
 * credential must not start, and it would start if its code ignored a status.
 *
 * @returns the handle, or a promise of it if the package must wait
 * @throws OptionError if a parameter cannot be used; it names the parameter, such as `authData.accounts`. SspiAuthError
 *   `ERR_SSPI_AUTH_STATUS` if there is no such package, or the package has no credential
 */
export const acquireCredentialsHandle: <const P extends string | SecurityPackage>(
  parameters: AcquireParameters<P>,
) => CredentialHandle | Promise<CredentialHandle> = acquire;
