/** AcquireCredentialsHandleW for servers. There is one shared native credential for each package, use and principal. */
import { OptionError, SspiAuthError } from '../../foundation/errors.ts';
import { SECPKG_CRED_BOTH, SECPKG_CRED_INBOUND } from '../../sspi/attributes.ts';
import type {
  AcceptCall,
  AcceptReply,
  AcquireCredentialsParameters,
  PackageCredential,
} from '../../sspi/security-package.ts';
import { SEC_E_OK, statusName } from '../../sspi/status.ts';
import { Secur32Context } from './context.ts';
import type { Provider } from './provider.ts';
import { NativeHandle } from './native-handles.ts';
import { SharedCredential } from './shared-credential.ts';
import { giveBackCallMemory, takeCallMemory } from './security-buffers.ts';
import { dateOfTimeStamp } from './time-stamp.ts';

/**
 * Acquires a credential to accept clients with.
 *
 * @throws OptionError `ERR_SSPI_AUTH_OPTION` if authData is given: the operating system has its own accounts and keys
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` if AcquireCredentialsHandleW fails for this package and principal
 */
export function acquireCredentials(provider: Provider, parameters: AcquireCredentialsParameters): PackageCredential {
  if (parameters.authData !== undefined) {
    throw new OptionError('authData', 'is given', 'Leave it out: the operating system has its own accounts and keys.');
  }
  const shared = sharedCredential(provider, parameters).retain();
  return {
    expiry: shared.expiry,
    accept: async (call: AcceptCall): Promise<AcceptReply> => {
      // Retained while the call runs: the caller may free the credential in the meantime.
      const credential = (provider.library.sharesCredentials ? shared : ownCredential(provider, parameters)).retain();
      try {
        return await Secur32Context.begin(provider, credential, call);
      } finally {
        credential.release();
      }
    },
    free: () => {
      shared.release();
    },
  };
}

function sharedCredential(provider: Provider, parameters: AcquireCredentialsParameters): SharedCredential {
  const key = JSON.stringify([parameters.credentialUse, parameters.principal ?? null]);
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
function ownCredential(provider: Provider, parameters: AcquireCredentialsParameters): SharedCredential {
  const { handle, expiry } = acquireNative(provider, parameters);
  return new SharedCredential(handle, expiry, () => undefined);
}

function acquireNative(
  provider: Provider,
  { credentialUse, principal }: AcquireCredentialsParameters,
): { readonly handle: NativeHandle; readonly expiry: Date | undefined } {
  const memory = takeCallMemory(0);
  try {
    const { AcquireCredentialsHandleW } = provider.library.security;
    const use = credentialUse === 'both' ? SECPKG_CRED_BOTH : SECPKG_CRED_INBOUND;
    const status = AcquireCredentialsHandleW(
      principal ?? null,
      provider.info.name,
      use,
      null,
      null,
      null,
      null,
      memory.handleAddress,
      memory.expiryAddress,
    );
    if (status >>> 0 !== SEC_E_OK) {
      throw new SspiAuthError(
        'ERR_SSPI_AUTH_STATUS',
        `sspi-auth: ${provider.library.path} has no credential for package ${provider.info.name}` +
          `${principal === undefined ? '' : ` and principal ${JSON.stringify(principal)}`}: ${statusName(status)}`,
      );
    }
    const handle = new NativeHandle(provider.library, 'credentials', memory.handle);
    return { handle, expiry: dateOfTimeStamp(memory.expiry) };
  } finally {
    giveBackCallMemory(memory);
  }
}
