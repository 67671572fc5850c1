/** AcquireCredentialsHandleW for Schannel and CREDSSP: a certificate, and what TLS may be. */
import { SspiAuthError } from '../../foundation/errors.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { SP_PROT_TLS1_2_SERVER, SP_PROT_TLS1_3_SERVER } from '../../sspi/attributes.ts';
import { ASC_REQ_MUTUAL_AUTH } from '../../sspi/requirements.ts';
import type {
  AcceptCall,
  AcceptReply,
  AcquireCredentialsParameters,
  PackageCredential,
} from '../../sspi/security-package.ts';
import { SEC_E_UNSUPPORTED_FUNCTION, statusName } from '../../sspi/status.ts';
import { koffi } from '../koffi.ts';
import { acquireHandle } from './acquire-handle.ts';
import type { AcquiredHandle } from './acquire-handle.ts';
import { authIdentity, packageList } from './auth-identity.ts';
import { layouts, pointerBytes } from './declarations.ts';
import { writePointer } from './native-handles.ts';
import type { Provider } from './provider.ts';
import { ServerCertificate } from './server-certificate.ts';
import { SharedCredential } from './shared-credential.ts';
import { credSspSettings, schannelSettings } from './stream-auth-data.ts';
import type { StreamSettings } from './stream-auth-data.ts';
import { StreamContext } from './stream-context.ts';
import * as Tls from './tls-structures.ts';

/** The names of the packages that are streams of TLS. */
export const streamPackages: readonly string[] = ['Schannel', 'CREDSSP'];

const FLAGS = Tls.SCH_CRED_NO_SYSTEM_MAPPER | Tls.SCH_CRED_DISABLE_RECONNECTS | Tls.SCH_USE_STRONG_CRYPTO;

/**
 * Acquires a credential of Windows' own Schannel or CREDSSP.
 *
 * @throws OptionError `ERR_SSPI_AUTH_OPTION` if authData cannot be used; SspiAuthError `ERR_SSPI_AUTH_STATUS` if Windows
 *   has no credential for it
 */
export function acquireStreamCredentials(
  provider: Provider,
  parameters: AcquireCredentialsParameters,
): PackageCredential {
  const read = provider.info.name === 'Schannel' ? schannelSettings : credSspSettings;
  const settings = read(parameters.authData);
  const functions = provider.library.certificates?.();
  if (functions === undefined) throw noCredential(provider, SEC_E_UNSUPPORTED_FUNCTION);
  const certificate = new ServerCertificate(functions, settings.pfx, settings.passphrase);
  let acquired: AcquiredHandle;
  try {
    acquired = acquire(provider, parameters, settings, certificate.address);
    if (acquired.handle === undefined) throw noCredential(provider, acquired.status);
  } catch (error) {
    certificate[Symbol.dispose]();
    throw error;
  }
  const { handle, expiry } = acquired;
  const credential = new SharedCredential(handle, expiry, () => {
    certificate[Symbol.dispose]();
  }).retain();
  return {
    expiry,
    accept: async (call: AcceptCall): Promise<AcceptReply> => {
      const { tls } = settings;
      const mutual = (call.requirements & ASC_REQ_MUTUAL_AUTH) !== 0;
      if (tls !== undefined && mutual && !tls.manualCredentialValidation) {
        return { status: SEC_E_UNSUPPORTED_FUNCTION, diagnosis: { text: reason('windows-needs-validation') } };
      }
      // Retained while the call runs: the caller may free the credential in the meantime.
      credential.retain();
      try {
        return await StreamContext.begin({ provider, credential }, call);
      } finally {
        credential.release();
      }
    },
    free: () => {
      credential.release();
    },
  };
}

function noCredential({ library, info }: Provider, status: number): SspiAuthError {
  const text = `sspi-auth: ${library.path} has no credential for package ${info.name}: ${statusName(status)}`;
  return new SspiAuthError('ERR_SSPI_AUTH_STATUS', text);
}

function acquire(
  provider: Provider,
  parameters: AcquireCredentialsParameters,
  { tls, packages }: StreamSettings,
  certificate: bigint,
): AcquiredHandle {
  // Schannel has no principal.
  const use = { credentialUse: parameters.credentialUse, principal: undefined };
  const { address } = koffi();
  const certificates = Buffer.alloc(pointerBytes);
  writePointer(certificates, certificate, 0);
  if (tls === undefined) {
    const schannel = schannelCred(address(certificates));
    const list = packageList(packages);
    const identity = list === undefined ? undefined : authIdentity(list);
    const memory = credSspCred(address(schannel), identity?.address ?? 0n);
    return acquireHandle(provider, use, address(memory));
  }
  const enabled =
    (tls.minVersion === 'TLSv1.2' ? SP_PROT_TLS1_2_SERVER : 0) |
    (tls.maxVersion === 'TLSv1.3' ? SP_PROT_TLS1_3_SERVER : 0);
  const parametersOfTls = tlsParameters(enabled);
  const newer = schCredentials(address(certificates), address(parametersOfTls));
  const acquired = acquireHandle(provider, use, address(newer));
  // Windows before 10 1809 knows the older structure alone, and no TLS 1.3.
  if (acquired.handle !== undefined || (enabled & SP_PROT_TLS1_2_SERVER) === 0) return acquired;
  const older = acquireHandle(provider, use, address(schannelCred(address(certificates))));
  return older.handle === undefined ? acquired : older;
}

/** SCH_CREDENTIALS with one certificate. */
function schCredentials(certificates: bigint, parameters: bigint): Buffer {
  const { size, offsets } = layouts.SCH_CREDENTIALS;
  const memory = Buffer.alloc(size);
  memory.writeUInt32LE(Tls.SCH_CREDENTIALS_VERSION, offsets.dwVersion);
  memory.writeUInt32LE(1, offsets.cCreds);
  writePointer(memory, certificates, offsets.paCred);
  memory.writeUInt32LE(FLAGS, offsets.dwFlags);
  memory.writeUInt32LE(1, offsets.cTlsParameters);
  writePointer(memory, parameters, offsets.pTlsParameters);
  return memory;
}

/** TLS_PARAMETERS. Windows wants the protocols that are not to be used. */
function tlsParameters(enabled: number): Buffer {
  const { size, offsets } = layouts.TLS_PARAMETERS;
  const memory = Buffer.alloc(size);
  memory.writeUInt32LE(~enabled >>> 0, offsets.grbitDisabledProtocols);
  return memory;
}

/** SCHANNEL_CRED with one certificate, for TLS 1.2. */
function schannelCred(certificates: bigint): Buffer {
  const { size, offsets } = layouts.SCHANNEL_CRED;
  const memory = Buffer.alloc(size);
  memory.writeUInt32LE(Tls.SCHANNEL_CRED_VERSION, offsets.dwVersion);
  memory.writeUInt32LE(1, offsets.cCreds);
  writePointer(memory, certificates, offsets.paCred);
  memory.writeUInt32LE(SP_PROT_TLS1_2_SERVER, offsets.grbitEnabledProtocols);
  memory.writeUInt32LE(FLAGS, offsets.dwFlags);
  return memory;
}

/** CREDSSP_CRED: how TLS and Negotiate inside of it are done. */
function credSspCred(schannel: bigint, identity: bigint): Buffer {
  const { size, offsets } = layouts.CREDSSP_CRED;
  const memory = Buffer.alloc(size);
  memory.writeUInt32LE(Tls.CREDSSP_PASSWORD_CREDS, offsets.Type);
  writePointer(memory, schannel, offsets.pSchannelCred);
  writePointer(memory, identity, offsets.pSpnegoCred);
  return memory;
}
