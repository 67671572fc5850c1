/**
 * The public face of the contract (`sspi-auth/sspi`): AcceptSecurityContext and its companions, with the security
 * packages of this machine: Windows' own on Windows, those of this library elsewhere.
 */
import { addMachinePackages } from './authenticator/providers/machine-packages.ts';
import type { AuthDataByPackage, liveNativeHandles } from './authenticator/providers/machine-packages.ts';
import { acquireCredentialsHandle as acquire } from './sspi/index.ts';
import type { AcquireCredentialsHandleParameters, CredentialHandle, SecurityPackage } from './sspi/index.ts';

addMachinePackages();

export type {
  AuthDataByPackage,
  DigestAuthData,
  KerberosAuthData,
  NegotiateAuthData,
  NegotiateInnerPackage,
  NtlmAuthData,
} from './authenticator/providers/machine-packages.ts';
export { liveNativeHandles } from './authenticator/providers/machine-packages.ts';
export * from './sspi/index.ts';
/** What the operating system gives out and liveNativeHandles counts. */
export type NativeKind = keyof ReturnType<typeof liveNativeHandles>;

/** Parameters of acquireCredentialsHandle, with authData of the package that is named. */
export type AcquireParameters<P extends string | SecurityPackage> = Omit<
  AcquireCredentialsHandleParameters,
  'package' | 'authData'
> & {
  /** pszPackage: a name that enumerateSecurityPackages lists, or the package itself. */
  readonly package: P;
  /** pAuthData: what the package verifies with. Windows' own packages take none. */
  readonly authData?: P extends keyof AuthDataByPackage ? AuthDataByPackage[P] : unknown;
};

/**
 * Gets the server's credential for a package. Free it with freeCredentialsHandle.
 *
 * Unlike Windows' function it gives the handle itself and throws where it cannot: a server without a credential cannot
 * start, and an ignored status would leave it running.
 *
 * @returns the handle; a promise of it for packages that must ask somebody
 * @throws OptionError where a parameter cannot be used, as `authData.accounts`; SspiAuthError `ERR_SSPI_AUTH_STATUS` where
 *   there is no such package or the package has no credential
 */
export const acquireCredentialsHandle: <const P extends string | SecurityPackage>(
  parameters: AcquireParameters<P>,
) => CredentialHandle | Promise<CredentialHandle> = acquire;
