/**
 * What a security package implements. The functions of the contract (accept-security-context.ts and its companions) own
 * the handles and the rules that hold for every package; a package owns its protocol.
 *
 * Rules a package may rely on: no two calls on one context overlap; a context is deleted exactly once; nothing is called
 * on it afterwards; `completeAuthToken` follows only a SEC_I_COMPLETE_* status.
 * Rules a package keeps: a result is a status, not an exception (an exception counts as SEC_E_INTERNAL_ERROR); a
 * synchronous answer is given synchronously; `data` it returns is its caller's to keep; input is not kept beyond the
 * call unless copied.
 */
import type { ContextAttribute, ContextAttributeValues, SecurityPackageInfo } from './attributes.ts';
import type { SecBuffer } from './buffers.ts';
import type { SecurityContextToken } from './security-context-token.ts';

/** What acquireCredentialsHandle hands to the package. */
export interface AcquireCredentialsParameters {
  /** Always inbound: this library has no client side. */
  readonly credentialUse: 'inbound' | 'both';
  /** Service principal to accept for (pszPrincipal); undefined: whatever the machine has keys for. */
  readonly principal: string | undefined;
  /** Package-specific (pAuthData): account source, keytab, inner packages. */
  readonly authData: unknown;
}

/** A security package: NTLM, Digest, Kerberos, Negotiate, Schannel, CredSSP. */
export interface SecurityPackage {
  readonly info: SecurityPackageInfo;
  /**
   * @throws OptionError where authData cannot be used; SspiAuthError with the cause where a credential cannot be had
   */
  acquireCredentials(parameters: AcquireCredentialsParameters): PackageCredential | Promise<PackageCredential>;
}

/** A package's side of a credential handle. */
export interface PackageCredential {
  /** When the credential expires, or undefined. */
  readonly expiry?: Date | undefined;
  /**
   * First leg: makes a context, or says no.
   */
  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply>;
  /** Called exactly once. Contexts that exist may still be used or deleted afterwards. */
  free(): void;
}

/** One call of acceptSecurityContext, checked. */
export interface AcceptCall {
  readonly input: readonly SecBuffer[];
  /** ASC_REQ_* bits. */
  readonly requirements: number;
  /** SECURITY_NATIVE_DREP or SECURITY_NETWORK_DREP. */
  readonly targetDataRep: number;
}

/** What a package answers to one call. */
export interface AcceptReply {
  /** SEC_*, unsigned 32 bits. */
  readonly status: number;
  /** First leg only: the new context, present exactly when the status keeps one. */
  readonly context?: PackageContext | undefined;
  /** To send to the client, in this order; with a failure only what the protocol wants said (EXTENDED_ERROR). */
  readonly output?: readonly SecBuffer[] | undefined;
  /** ASC_RET_* bits; looked at only with SEC_E_OK. */
  readonly attributes?: number | undefined;
  /** Undefined: never. Looked at only with SEC_E_OK. */
  readonly expiry?: Date | undefined;
  /** What the server's own log should know about a failure. */
  readonly diagnosis?: Diagnosis | undefined;
}

/** Credentials that the client forwarded to act in its name, in a cache of their own. */
export interface DelegatedCredentials {
  /** Name of the credential cache as KRB5CCNAME takes it. It is destroyed with the context. */
  readonly credentialCache: string;
  /** When the forwarded ticket ends. */
  readonly expiry: Date | undefined;
}

/** About a failure, for the log of the server and never for the client. Holds no secret, no token and no hash. */
export interface Diagnosis {
  /** The account the client claimed to be; unproven. */
  readonly account?: string;
  /** What an administrator can do about it, such as which key is missing. */
  readonly text?: string;
  /** The package that refused, where another one chose it (Negotiate). */
  readonly package?: string;
}

/** Status and value of a question; the value is present exactly when the status is SEC_E_OK. */
export interface Answer<T> {
  readonly status: number;
  readonly value?: T | undefined;
}

/** A package's side of a context handle. What it does not have, it leaves out: SEC_E_UNSUPPORTED_FUNCTION. */
export interface PackageContext {
  /** A later leg. */
  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply>;
  completeAuthToken?(token: readonly SecBuffer[]): AcceptReply | Promise<AcceptReply>;
  /** Called on an established context only. */
  queryAttribute<A extends ContextAttribute>(attribute: A): Answer<ContextAttributeValues[A]>;
  /** Called on an established context only. */
  queryToken(): Answer<SecurityContextToken>;
  /** Acts as the client on this thread until `revert`. */
  impersonate?(): number;
  revert?(): number;
  /** The context must outlive its handshake because it is needed to impersonate or holds delegated credentials. */
  readonly keepAfterHandshake?: boolean;
  /** What the client forwarded, where the credential and the requirements ask for it. Of an established context. */
  readonly delegatedCredentials?: DelegatedCredentials | undefined;
  /** MakeSignature: DATA buffers in, one TOKEN buffer out. */
  makeSignature?(message: readonly SecBuffer[], sequence: number | undefined): Answer<readonly SecBuffer[]>;
  /** VerifySignature: DATA and TOKEN buffers in; the value is the quality of protection. */
  verifySignature?(message: readonly SecBuffer[], sequence: number | undefined): Answer<number>;
  /** EncryptMessage: DATA buffers in; TOKEN, DATA and perhaps PADDING out, in wire order. */
  encryptMessage?(message: readonly SecBuffer[], sequence: number | undefined): Answer<readonly SecBuffer[]>;
  /** DecryptMessage: TOKEN and DATA (or one STREAM) in; DATA out. */
  decryptMessage?(message: readonly SecBuffer[], sequence: number | undefined): Answer<readonly SecBuffer[]>;
  /**
   * For Negotiate: puts the ciphers of message protection back to their start after a mechListMIC, sequence numbers
   * excepted (MS-SPNG section 3.2.5.1). Packages without such a state leave it out.
   */
  resetMessageState?(): void;
  /** Called exactly once, whatever happened before. Wipes keys. */
  delete(): void;
}
