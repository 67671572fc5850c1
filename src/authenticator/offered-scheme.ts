/** An HTTP authentication scheme that a server offers, with the credential that verifies it. */
import type { Identity } from '../identity/identity.ts';
import type { CredentialHandle } from '../sspi/index.ts';

export interface OfferedScheme {
  /** As written in WWW-Authenticate. */
  readonly name: string;
  /** `portable`, `secur32`, `gssapi`. */
  readonly provider: string;
  readonly credential: CredentialHandle;
  /** What an authentication covers: all later requests of the connection, or the request that carried it. */
  readonly boundTo: 'connection' | 'request';
  /** Packages that are allowed, if the scheme can choose (Negotiate); undefined: any. */
  readonly packages?: readonly string[] | undefined;
  /**
   * Service principal names. The client must have asked for one of them (SECPKG_ATTR_CLIENT_SPECIFIED_TARGET);
   * undefined: any.
   */
  readonly servicePrincipalNames?: readonly string[] | undefined;
  /** Hosts of the services that Kerberos has keys for at start, in lower case, for the log; undefined: not known. */
  readonly serviceHosts?: readonly string[] | undefined;
  /**
   * Whether a user who signed in by this scheme may stay signed in: `true`, or the account is gone. Asked at most once a
   * second for each connection. Undefined: nobody can tell.
   */
  readonly isCurrent?: ((user: Identity) => unknown) | undefined;
  /**
   * The scheme has a TLS connection of its own inside its tokens (CredSSP). `withoutTls`: it is offered where HTTP has
   * no TLS as well; from then on such a connection admits only requests whose encrypted body was opened by its context.
   */
  readonly innerTls?: { readonly withoutTls: boolean } | undefined;
  /** Further ASC_REQ_* bits to request (ASC_REQ_DELEGATE). A context without them is still accepted. */
  readonly requirements?: number | undefined;
  /** ASC_RET_* bits that a finished context must have. They are requested, and a context without them is refused. */
  readonly requiredAttributes?: number | undefined;
}
