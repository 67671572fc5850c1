/** Attributes of a security context (QueryContextAttributes, sspi.h SECPKG_ATTR_*) and the shape of each answer. */

export const SECPKG_ATTR_SIZES = 0;
export const SECPKG_ATTR_NAMES = 1;
export const SECPKG_ATTR_LIFESPAN = 2;
export const SECPKG_ATTR_STREAM_SIZES = 4;
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
export const SECPKG_ATTR_APPLICATION_PROTOCOL = 35;
export const SECPKG_ATTR_REMOTE_CERT_CONTEXT = 0x53;
export const SECPKG_ATTR_LOCAL_CERT_CONTEXT = 0x54;
export const SECPKG_ATTR_CONNECTION_INFO = 0x5a;
export const SECPKG_ATTR_SESSION_INFO = 0x5d;
export const SECPKG_ATTR_CIPHER_INFO = 0x64;
export const SECPKG_ATTR_KEYING_MATERIAL_INFO = 0x6a;
export const SECPKG_ATTR_KEYING_MATERIAL = 0x6b;
export const SECPKG_ATTR_CREDS_2 = 0x80000086;

/** ProtoNegoStatus of SECPKG_ATTR_APPLICATION_PROTOCOL. */
export const SecApplicationProtocolNegotiationStatus_None = 0;
export const SecApplicationProtocolNegotiationStatus_Success = 1;
/** ProtoNegoExt of SECPKG_ATTR_APPLICATION_PROTOCOL. */
export const SecApplicationProtocolNegotiationExt_None = 0;
export const SecApplicationProtocolNegotiationExt_ALPN = 2;

/** Protocols of SECPKG_ATTR_CONNECTION_INFO, server side (schannel.h). */
export const SP_PROT_TLS1_SERVER = 0x40;
export const SP_PROT_TLS1_1_SERVER = 0x100;
export const SP_PROT_TLS1_2_SERVER = 0x400;
export const SP_PROT_TLS1_3_SERVER = 0x1000;

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

/** SecPkgContext_StreamSizes. */
export interface StreamSizes {
  /** Bytes before the data of a message. */
  readonly header: number;
  /** Bytes after it, at most. */
  readonly trailer: number;
  /** Largest number of bytes that encryptMessage takes in one call. */
  readonly maximumMessage: number;
  /** How many buffers encryptMessage takes on Windows. */
  readonly buffers: number;
  readonly blockSize: number;
}

/** SecPkgContext_ConnectionInfo: ALG_ID of wincrypt.h, 0 where it has none; strengths in bits. */
export interface ConnectionInfo {
  /** SP_PROT_*_SERVER. */
  readonly protocol: number;
  readonly cipher: number;
  readonly cipherStrength: number;
  /** The hash of the record protection; 0 if the cipher is an AEAD. */
  readonly hash: number;
  readonly hashStrength: number;
  readonly exchange: number;
  readonly exchangeStrength: number;
}

/** SecPkgContext_CipherInfo, as much of it as is known on every machine. */
export interface CipherInfo {
  /** Version on the wire: 0x0303 is TLS 1.2, 0x0304 is TLS 1.3. */
  readonly protocol: number;
  /** Name in the IANA registry, such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipherSuite: string;
  /** Such as `AES`. */
  readonly cipher: string;
  /** Length of its key in bits. */
  readonly cipherLength: number;
  /** Such as `SHA384`. */
  readonly hash: string;
  /** Such as `ECDHE`; empty in TLS 1.3, where the suite does not name it. */
  readonly exchange: string;
}

/** SecPkgContext_ApplicationProtocol. */
export interface ApplicationProtocol {
  /** SecApplicationProtocolNegotiationStatus_*. */
  readonly status: number;
  /** SecApplicationProtocolNegotiationExt_*. */
  readonly extension: number;
  /** Such as `h2`; empty if none was negotiated. */
  readonly protocol: string;
}

/** SecPkgContext_SessionInfo. */
export interface SessionInfo {
  /** The handshake resumed an earlier session (SSL_SESSION_RECONNECT). */
  readonly resumed: boolean;
  readonly sessionId: Uint8Array;
}

/** SecPkgContext_KeyingMaterialInfo: what SECPKG_ATTR_KEYING_MATERIAL exports (RFC 5705, RFC 8446 section 7.5). */
export interface KeyingMaterialInfo {
  readonly label: string;
  /** Left out: exported without a context, which in TLS 1.2 differs from an empty one. */
  readonly context?: Uint8Array | undefined;
  /** In bytes. */
  readonly length: number;
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
  [SECPKG_ATTR_STREAM_SIZES]: StreamSizes;
  /** SEC_CHANNEL_BINDINGS with `tls-unique:`, as SECBUFFER_CHANNEL_BINDINGS takes it. Not in TLS 1.3. */
  [SECPKG_ATTR_UNIQUE_BINDINGS]: Uint8Array;
  /** SEC_CHANNEL_BINDINGS with `tls-server-end-point:`, as SECBUFFER_CHANNEL_BINDINGS takes it. */
  [SECPKG_ATTR_ENDPOINT_BINDINGS]: Uint8Array;
  [SECPKG_ATTR_APPLICATION_PROTOCOL]: ApplicationProtocol;
  /** The client's certificate in DER. SEC_E_NO_CREDENTIALS if it gave none. */
  [SECPKG_ATTR_REMOTE_CERT_CONTEXT]: Uint8Array;
  /** The server's certificate in DER. */
  [SECPKG_ATTR_LOCAL_CERT_CONTEXT]: Uint8Array;
  [SECPKG_ATTR_CONNECTION_INFO]: ConnectionInfo;
  [SECPKG_ATTR_SESSION_INFO]: SessionInfo;
  [SECPKG_ATTR_CIPHER_INFO]: CipherInfo;
  /** What setContextAttributes asked for with SECPKG_ATTR_KEYING_MATERIAL_INFO. */
  [SECPKG_ATTR_KEYING_MATERIAL]: Uint8Array;
}

/** The value that setContextAttributes takes for each attribute. */
export interface SettableContextAttributeValues {
  [SECPKG_ATTR_KEYING_MATERIAL_INFO]: KeyingMaterialInfo;
}

/** The attributes that setContextAttributes takes. */
export type SettableContextAttribute = keyof SettableContextAttributeValues;

/** The attributes that queryContextAttributes takes. */
export type ContextAttribute = keyof ContextAttributeValues;
