/** What contract-suite.ts is run over: a package, its clients, and where it differs. */
import type * as Sspi from '../../src/sspi/index.ts';

/** What a client is to do. */
export type ClientKind = 'right' | 'wrong password' | 'unknown user';

/** What EncryptMessage makes of a message. */
export interface SealedMessage {
  readonly token: Uint8Array;
  readonly data: Uint8Array;
}

/** The other side of a handshake, by somebody else's code where there is any. */
export interface ContractClient extends Disposable {
  /**
   * The client's next token.
   *
   * @param serverToken the server's last one; undefined at the start
   * @returns undefined where the client has no more to say
   */
  next(serverToken: Uint8Array | undefined): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Message protection of the finished client context; left out where the client has none. */
  makeSignature?(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
  verifySignature?(message: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>;
  encryptMessage?(message: Uint8Array): SealedMessage | Promise<SealedMessage>;
  decryptMessage?(token: Uint8Array, data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** The rows of the suite. */
export type ContractRow =
  | 'wrong password'
  | 'unknown user'
  | 'garbage'
  | 'replayed last token'
  | 'last token first'
  | 'first token twice'
  | 'second leg'
  | 'tampered last token'
  | 'message protection'
  | 'confidentiality';

/** How a provider differs from the contract's expectation in one row. */
export interface Difference {
  /** What it answers instead; left out: the row does not apply. */
  readonly statuses?: readonly number[];
  readonly because: string;
}

/** A package to run the suite over. */
export interface ContractSubject {
  readonly package: Sspi.SecurityPackage;
  readonly authData?: unknown;
  /** ASC_REQ_* bits of every call. */
  readonly requirements: number;
  client(kind: ClientKind): ContractClient | Promise<ContractClient>;
  /** Whom the client with the right password is. */
  readonly account: { readonly userName: string; readonly domain?: string };
  /** Another user, for handshakes that interleave. */
  readonly other: { readonly userName: string; client(): ContractClient | Promise<ContractClient> };
  /** The package that really runs, as NEGOTIATION_INFO or PACKAGE_INFO names it. */
  readonly runs: string;
  readonly differences: Readonly<Partial<Record<ContractRow, Difference>>>;
  /** How much of the operating system is held beyond the contract's own handles; 0 when nothing is. */
  liveNative?(): { readonly contexts: number; readonly other: number };
  close?(): void | Promise<void>;
}
