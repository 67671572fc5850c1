/** Attributes of a security context (QueryContextAttributes, sspi.h SECPKG_ATTR_*) and the shape of each answer. */

export const SECPKG_ATTR_SIZES = 0;
export const SECPKG_ATTR_NAMES = 1;
export const SECPKG_ATTR_LIFESPAN = 2;
export const SECPKG_ATTR_KEY_INFO = 5;
export const SECPKG_ATTR_AUTHORITY = 6;
export const SECPKG_ATTR_PASSWORD_EXPIRY = 8;
export const SECPKG_ATTR_SESSION_KEY = 9;
export const SECPKG_ATTR_PACKAGE_INFO = 10;
export const SECPKG_ATTR_NEGOTIATION_INFO = 12;
export const SECPKG_ATTR_NATIVE_NAMES = 13;
export const SECPKG_ATTR_FLAGS = 14;
export const SECPKG_ATTR_TARGET_INFORMATION = 17;
export const SECPKG_ATTR_ACCESS_TOKEN = 18;
export const SECPKG_ATTR_LOGOFF_TIME = 21;
export const SECPKG_ATTR_UNIQUE_BINDINGS = 25;
export const SECPKG_ATTR_ENDPOINT_BINDINGS = 26;
export const SECPKG_ATTR_CLIENT_SPECIFIED_TARGET = 27;
export const SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS = 30;
export const SECPKG_ATTR_NEGO_STATUS = 32;
export const SECPKG_ATTR_CREDS_2 = 0x80000086;

/** Negotiation states of SECPKG_ATTR_NEGOTIATION_INFO. */
export const SECPKG_NEGOTIATION_COMPLETE = 0;
export const SECPKG_NEGOTIATION_OPTIMISTIC = 1;
export const SECPKG_NEGOTIATION_IN_PROGRESS = 2;
export const SECPKG_NEGOTIATION_DIRECT = 3;

/** credentialUse: the server side. */
export const SECPKG_CRED_INBOUND = 1;
export const SECPKG_CRED_OUTBOUND = 2;
export const SECPKG_CRED_BOTH = 3;

/** SecPkgInfo: what a security package is. */
export interface SecurityPackageInfo {
  /** Name as acquireCredentialsHandle takes it, such as `NTLM`. */
  readonly name: string;
  readonly comment: string;
  /** SECPKG_FLAG_* bits. */
  readonly capabilities: number;
  /** Version of the package protocol; 1. */
  readonly version: number;
  /** DCE RPC identifier, 0xffff where there is none. */
  readonly rpcId: number;
  /** Size in bytes of the largest token the package makes. */
  readonly maxToken: number;
}

/** SecPkgContext_Sizes, all in bytes. */
export interface ContextSizes {
  readonly maxToken: number;
  readonly maxSignature: number;
  readonly blockSize: number;
  readonly securityTrailer: number;
}

/** The value that queryContextAttributes gives for each attribute that a package of this library can have. */
export interface ContextAttributeValues {
  [SECPKG_ATTR_SIZES]: ContextSizes;
  /** `DOMAIN\user` or `user@REALM`. */
  [SECPKG_ATTR_NAMES]: string;
  /** Start and end of the context's life; the end is undefined where it never ends. */
  [SECPKG_ATTR_LIFESPAN]: { readonly start: Date; readonly expiry: Date | undefined };
  /** A copy of the session key. */
  [SECPKG_ATTR_SESSION_KEY]: Uint8Array;
  [SECPKG_ATTR_PACKAGE_INFO]: SecurityPackageInfo;
  /** The package that really ran, and SECPKG_NEGOTIATION_*. */
  [SECPKG_ATTR_NEGOTIATION_INFO]: { readonly package: SecurityPackageInfo; readonly state: number };
  [SECPKG_ATTR_NATIVE_NAMES]: { readonly client: string; readonly server: string };
  /** ASC_RET_* bits of the finished context. */
  [SECPKG_ATTR_FLAGS]: number;
  /**
   * HANDLE of the client's access token, which belongs to the context and must not be closed. Only from packages of
   * Windows.
   */
  [SECPKG_ATTR_ACCESS_TOKEN]: bigint;
  /** The service principal name that the client asked for; empty if the client sent none or marked it as untrusted. */
  [SECPKG_ATTR_CLIENT_SPECIFIED_TARGET]: string;
}

/** The attributes that queryContextAttributes takes. */
export type ContextAttribute = keyof ContextAttributeValues;
