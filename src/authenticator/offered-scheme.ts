/** An HTTP authentication scheme that a server offers, with the credential that verifies it. */
import type { CredentialHandle } from '../sspi/index.ts';

export interface OfferedScheme {
  /** As it stands in WWW-Authenticate. */
  readonly name: string;
  /** `portable`, `secur32`, `gssapi`. */
  readonly provider: string;
  readonly credential: CredentialHandle;
  /** What an authentication covers: all later requests of the connection, or the request that carried it. */
  readonly boundTo: 'connection' | 'request';
  /** Packages that may have run, where the scheme can choose (Negotiate); undefined: any. */
  readonly packages?: readonly string[] | undefined;
  /** Names of which the client must have meant one (SECPKG_ATTR_CLIENT_SPECIFIED_TARGET); undefined: any. */
  readonly servicePrincipalNames?: readonly string[] | undefined;
  /** ASC_REQ_* bits to ask for beyond those of HTTP, without insisting (ASC_REQ_DELEGATE). */
  readonly requirements?: number | undefined;
  /** ASC_RET_* bits that a finished context must have: they are asked for, and a context without them is refused. */
  readonly requiredAttributes?: number | undefined;
}
