/** The security packages of this machine, for the contract. */
import { kerberosPackage } from '../../native/gssapi/index.ts';
import type { KerberosAuthData } from '../../native/gssapi/index.ts';
import { secur32Packages } from '../../native/secur32/index.ts';
import type { Secur32AuthData, Secur32CredSspAuthData, Secur32SchannelAuthData } from '../../native/secur32/index.ts';
import { credsspPackage } from '../../packages/credssp/index.ts';
import type { CredSspAuthData } from '../../packages/credssp/index.ts';
import { digestPackage } from '../../packages/digest/index.ts';
import type { DigestAuthData } from '../../packages/digest/index.ts';
import { negotiatePackage } from '../../packages/negotiate/index.ts';
import type { NegotiateAuthData, NegotiateInnerPackage } from '../../packages/negotiate/index.ts';
import { ntlmPackage } from '../../packages/ntlm/index.ts';
import type { NtlmAuthData } from '../../packages/ntlm/index.ts';
import { schannelPackage } from '../../packages/schannel/index.ts';
import type {
  CertificateNames,
  ClientCertificate,
  MapCertificate,
  SchannelAuthData,
} from '../../packages/schannel/index.ts';
import { addSecurityPackages } from '../../sspi/index.ts';

/** authData of acquireCredentialsHandle by the name of the package. On Windows, all but Digest are the system's own. */
export interface AuthDataByPackage {
  readonly NTLM: NtlmAuthData | Secur32AuthData;
  readonly Digest: DigestAuthData;
  readonly Kerberos: KerberosAuthData | Secur32AuthData;
  readonly Negotiate: NegotiateAuthData | Secur32AuthData;
  readonly Schannel: SchannelAuthData | Secur32SchannelAuthData;
  readonly CREDSSP: CredSspAuthData | Secur32CredSspAuthData;
}

export type {
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
};
export { credsspPackage, schannelPackage };
export { liveNativeHandles } from '../../native/secur32/index.ts';

/** Adds the packages of this machine to those of the process: Windows' own on Windows, ours elsewhere. */
export function addMachinePackages(): void {
  addSecurityPackages(() => [
    ...[ntlmPackage, digestPackage, negotiatePackage, kerberosPackage, schannelPackage, credsspPackage],
  ]);
  if (process.platform === 'win32') addSecurityPackages(() => secur32Packages());
}
