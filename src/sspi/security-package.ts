/**
 * The interface that a security package implements. The functions of the contract (accept-security-context.ts and its
 * companions) own the handles and enforce the rules that are the same for every package. The package implements its
 * protocol.
 *
 * A package may rely on these rules:
 * - Calls on one context never overlap.
 * - A context is deleted exactly once, and nothing is called on it afterwards.
 * - `completeAuthToken` is called only after a SEC_I_COMPLETE_* status.
 *
 * A package must keep these rules:
 * - A result is a status. An exception counts as SEC_E_INTERNAL_ERROR.
 * - A package that need not wait returns its reply itself, not a promise.
 * - The caller may keep the `data` that a package returns.
 * - A package that needs input after the call copies it.
 */
import type {
  ContextAttribute,
  ContextAttributeValues,
  SecurityPackageInfo,
  SettableContextAttribute,
  SettableContextAttributeValues,
} from './attributes.ts';
import type { SecBuffer } from './buffers.ts';
import type { SecurityContextToken } from './security-context-token.ts';

/** What acquireCredentialsHandle hands to the package. */
export interface AcquireCredentialsParameters {
  /** `both` asks for the client side as well. No function of the contract uses that side, so a package need not have it. */
  readonly credentialUse: 'inbound' | 'both';
  /** The service that clients must mean (pszPrincipal); undefined: every service of the credential. */
  readonly principal: string | undefined;
  /** Package-specific (pAuthData): account source, keytab, inner packages. */
  readonly authData: unknown;
}

/** A security package: NTLM, Digest, Kerberos, Negotiate, Schannel, CredSSP. */
export interface SecurityPackage {
  readonly info: SecurityPackageInfo;
  /**
   * @throws OptionError if authData cannot be used; SspiAuthError with the cause if there is no credential
   */
  acquireCredentials(parameters: AcquireCredentialsParameters): PackageCredential | Promise<PackageCredential>;
}

/** A package's side of a credential handle. */
export interface PackageCredential {
  /** When the credential expires, or undefined. */
  readonly expiry?: Date | undefined;
  /** First leg: makes a context or refuses. */
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
  /** Whether nobody wants the reply any more. A package that lets calls wait asks this before it begins one. */
  readonly abandoned?: (() => boolean) | undefined;
}

/** The reply of a package to one call. */
export interface AcceptReply {
  /** SEC_*, unsigned 32 bits. */
  readonly status: number;
  /**
   * First leg only: the new context. Present exactly if the status keeps a context (keepsContext), so also with
   * SEC_E_INCOMPLETE_MESSAGE.
   */
  readonly context?: PackageContext | undefined;
  /**
   * To send to the client, in this order. With a failure only an error token (ASC_REQ_EXTENDED_ERROR) and a
   * SECBUFFER_ALERT. Input that was not consumed comes back here as SECBUFFER_EXTRA.
   */
  readonly output?: readonly SecBuffer[] | undefined;
  /**
   * With SEC_E_INCOMPLETE_MESSAGE: how many bytes are missing at least, where the package can tell. A count and not a
   * buffer, because the client chooses it. Nothing of the input was consumed.
   */
  readonly missing?: number | undefined;
  /** ASC_RET_* bits; used only with SEC_E_OK. */
  readonly attributes?: number | undefined;
  /** When the context ends; undefined: never. Used only with SEC_E_OK. */
  readonly expiry?: Date | undefined;
  /** Cause of a failure, for the server's own log. */
  readonly diagnosis?: Diagnosis | undefined;
}

/** A ticket that the client forwarded (Kerberos), so that the server can act in its name. It has its own cache. */
export interface DelegatedTicket {
  readonly kind: 'ticket';
  /** Name of the credential cache as KRB5CCNAME takes it. It is destroyed with the context. */
  readonly credentialCache: string;
  /** When the forwarded ticket ends. */
  readonly expiry: Date | undefined;
}

/**
 * Name and password that the client gave away (CredSSP). util.inspect and JSON.stringify show the password of neither
 * this object nor one that holds it.
 */
export interface DelegatedPassword {
  readonly kind: 'password';
  readonly credentialCache?: undefined;
  readonly expiry?: undefined;
  /** As the client wrote it: NetBIOS or DNS name of the domain, or empty. */
  readonly domain: string;
  /** As the client wrote it: `alice`, or `alice@test.local` without a domain. */
  readonly userName: string;
  /**
   * The password in UTF-8. The bytes themselves, not a copy: they are overwritten with zeros by `wipe` and with the
   * context. Empty afterwards. Hand them on as bytes; a string that is made of them stays in memory.
   */
  readonly password: Buffer;
  /** Overwrites the password. Call it as soon as the password was used. */
  wipe(): void;
}

/** Credentials that the client gave away, so that the server can act in its name; `kind` tells which. */
export type DelegatedCredentials = DelegatedTicket | DelegatedPassword;

/** An account as a client wrote it. */
export interface ClaimedAccount {
  readonly userName: string;
  /** Empty if the client named none. */
  readonly domain: string;
}

/** An exception behind a failure. */
export interface ThrownFailure {
  /** What failed, such as `the account source`. */
  readonly where: string;
  /** What was thrown. It may hold anything, secrets too: only its name, message and stack may be logged. */
  readonly error: unknown;
}

/** Cause of a failure, for the log of the server and never for the client. Its texts hold no secret, token or hash. */
export interface Diagnosis {
  /** The account that the client claimed; not proved. */
  readonly account?: string;
  /** What is wrong, so that an administrator can act on it, such as which key is missing. */
  readonly text?: string;
  /** The package that refused, if it ran inside Negotiate. */
  readonly package?: string;
  /** The exception that was the cause, if any. */
  readonly failure?: ThrownFailure;
  /**
   * Set if the client offered another mechanism for want of a ticket, which alone is verified here. Who knows the host
   * that the client meant can say for which service it has none.
   */
  readonly withoutTicket?: MechanismMismatch;
}

/** Mechanisms that do not meet. */
export interface MechanismMismatch {
  /** What the client offered. */
  readonly sent: readonly string[];
  /** What this server verifies. */
  readonly have: readonly string[];
}

/** Status and value of a query; the value is present exactly if the status is SEC_E_OK. */
export interface Answer<T> {
  readonly status: number;
  readonly value?: T | undefined;
}

/** Result of encryptMessage and decryptMessage. */
export interface MessageAnswer extends Answer<readonly SecBuffer[]> {
  /**
   * Present with SEC_E_OK. With another status perhaps: SECBUFFER_TOKEN is to be sent to the client (an alert),
   * SECBUFFER_EXTRA is input that was not consumed.
   */
  readonly value?: readonly SecBuffer[] | undefined;
  /** With SEC_E_INCOMPLETE_MESSAGE: how many bytes are missing at least, where the package can tell. */
  readonly missing?: number | undefined;
}

/** A package's side of a context handle. A function that it leaves out gives SEC_E_UNSUPPORTED_FUNCTION. */
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
  /**
   * How many bytes of messages the context holds while it waits for its client, for the bound on all that wait. Left out:
   * the package cannot tell.
   */
  readonly heldBytes?: number | undefined;
  /**
   * Credentials that the client forwarded, if the credential and the requirements ask for them. Read on an established
   * context only.
   */
  readonly delegatedCredentials?: DelegatedCredentials | undefined;
  /**
   * The account as the client wrote it in the message that proved it, if the package has such a name (NTLM). Read on an
   * established context only.
   */
  readonly claimedAccount?: ClaimedAccount | undefined;
  /** MakeSignature: DATA buffers in, one TOKEN buffer out. */
  makeSignature?(message: readonly SecBuffer[], sequence: number | undefined): Answer<readonly SecBuffer[]>;
  /** VerifySignature: DATA and TOKEN buffers in; the value is the quality of protection. */
  verifySignature?(message: readonly SecBuffer[], sequence: number | undefined): Answer<number>;
  /** EncryptMessage: DATA buffers in; TOKEN, DATA and perhaps PADDING out, in wire order. */
  encryptMessage?(message: readonly SecBuffer[], sequence: number | undefined): MessageAnswer | Promise<MessageAnswer>;
  /** DecryptMessage: TOKEN and DATA (or one STREAM) in; DATA out, and EXTRA for input that was not consumed. */
  decryptMessage?(message: readonly SecBuffer[], sequence: number | undefined): MessageAnswer | Promise<MessageAnswer>;
  /** ApplyControlToken: the token tells the context what its next accept call makes. Called at any point. */
  applyControlToken?(input: readonly SecBuffer[]): number;
  /** SetContextAttributes. Called on an established context only. */
  setAttribute?<A extends SettableContextAttribute>(attribute: A, value: SettableContextAttributeValues[A]): number;
  /**
   * For Negotiate, after a mechListMIC: resets the ciphers of message protection to their start, but not the sequence
   * numbers (MS-SPNG section 3.2.5.1). Packages without such ciphers leave it out.
   */
  resetMessageState?(): void;
  /** Called exactly once, whatever happened before. Wipes keys. */
  delete(): void;
}
