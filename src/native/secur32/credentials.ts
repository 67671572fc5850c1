/** AcquireCredentialsHandleW for servers. There is one shared native credential for each package, use and principal. */
import { SspiAuthError } from '../../foundation/errors.ts';
import type {
  AcceptCall,
  AcceptReply,
  AcquireCredentialsParameters,
  PackageCredential,
} from '../../sspi/security-package.ts';
import { statusName } from '../../sspi/status.ts';
import { acquireHandle } from './acquire-handle.ts';
import { authIdentity, packageList } from './auth-identity.ts';
import { Secur32Context } from './context.ts';
import type { Provider } from './provider.ts';
import type { NativeHandle } from './native-handles.ts';
import { secur32Settings } from './secur32-auth-data.ts';
import { SharedCredential } from './shared-credential.ts';

/**
 * Acquires a credential to accept clients with.
 *
 * @throws OptionError `ERR_SSPI_AUTH_OPTION` if authData cannot be used: the operating system has its own accounts and
 *   keys, and Secur32AuthData is all that can be decided
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` if AcquireCredentialsHandleW fails for this package and principal
 */
export function acquireCredentials(provider: Provider, parameters: AcquireCredentialsParameters): PackageCredential {
  const settings = secur32Settings(parameters.authData);
  const wanted: NativeParameters = {
    credentialUse: parameters.credentialUse,
    principal: parameters.principal,
    // Negotiate of other libraries does not know the structure that has the list.
    packages: provider.library.token && provider.info.name === 'Negotiate' ? packageList(settings.packages) : undefined,
  };
  const shared = sharedCredential(provider, wanted).retain();
  return {
    expiry: shared.expiry,
    accept: async (call: AcceptCall): Promise<AcceptReply> => {
      // Retained while the call runs: the caller may free the credential in the meantime.
      const credential = (provider.library.sharesCredentials ? shared : ownCredential(provider, wanted)).retain();
      try {
        return await Secur32Context.begin({ provider, credential, settings }, call);
      } finally {
        credential.release();
      }
    },
    free: () => {
      shared.release();
    },
  };
}

/** What makes one native credential differ from another. */
interface NativeParameters extends Pick<AcquireCredentialsParameters, 'credentialUse' | 'principal'> {
  /** Package list of SEC_WINNT_AUTH_IDENTITY_EX. */
  readonly packages: string | undefined;
}

function sharedCredential(provider: Provider, parameters: NativeParameters): SharedCredential {
  const { credentialUse, principal, packages } = parameters;
  const key = JSON.stringify([credentialUse, principal ?? null, packages ?? null]);
  const known = provider.credentials.get(key);
  if (known !== undefined) return known;
  const { handle, expiry } = acquireNative(provider, parameters);
  const shared = new SharedCredential(handle, expiry, () => {
    provider.credentials.delete(key);
  });
  provider.credentials.set(key, shared);
  return shared;
}

/** A credential that only one context uses. */
function ownCredential(provider: Provider, parameters: NativeParameters): SharedCredential {
  const { handle, expiry } = acquireNative(provider, parameters);
  return new SharedCredential(handle, expiry, () => undefined);
}

/**
 * AcquireCredentialsHandleW.
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` if it fails
 */
function acquireNative(
  provider: Provider,
  parameters: NativeParameters,
): { readonly handle: NativeHandle; readonly expiry: Date | undefined } {
  const { principal, packages } = parameters;
  const identity = packages === undefined ? undefined : authIdentity(packages);
  const acquired = acquireHandle(provider, parameters, identity?.address ?? null);
  if (acquired.handle !== undefined) return acquired;
  // Where the list is not understood, a package that is not allowed is refused when its context stands.
  if (packages !== undefined) return acquireNative(provider, { ...parameters, packages: undefined });
  throw new SspiAuthError(
    'ERR_SSPI_AUTH_STATUS',
    `sspi-auth: ${provider.library.path} has no credential for package ${provider.info.name}` +
      `${principal === undefined ? '' : ` and principal ${JSON.stringify(principal)}`}: ${statusName(acquired.status)}`,
  );
}
