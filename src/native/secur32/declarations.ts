/**
 * The binary interface of SSPI: structures and functions of sspi.h, and those of winnt.h and securitybaseapi.h that
 * read an access token. The code here writes and reads the structures itself: that is much faster than marshalling by
 * koffi.
 *
 * The structures have natural alignment on every architecture of Windows. x64 and arm64 differ from ia32 only in the
 * size of a pointer.
 */

import { tlsStructures } from './tls-structures.ts';

/**
 * Type of a field: an unsigned integer of 8, 16 or 32 bits, a value as wide as a pointer, an LSA_UNICODE_STRING, an array
 * of 64 UTF-16 units, or one of bytes.
 */
export type FieldType = 'u8' | 'u16' | 'u32' | 'pointer' | 'string' | 'text64' | 'bytes32' | 'bytes255';

/** The structures, with the names that the headers use. The fields are in order. */
export const structures = {
  SecHandle: { dwLower: 'pointer', dwUpper: 'pointer' },
  TimeStamp: { LowPart: 'u32', HighPart: 'u32' },
  SecBuffer: { cbBuffer: 'u32', BufferType: 'u32', pvBuffer: 'pointer' },
  SecBufferDesc: { ulVersion: 'u32', cBuffers: 'u32', pBuffers: 'pointer' },
  SecPkgInfoW: {
    fCapabilities: 'u32',
    wVersion: 'u16',
    wRPCID: 'u16',
    cbMaxToken: 'u32',
    Name: 'pointer',
    Comment: 'pointer',
  },
  SecPkgContext_Sizes: { cbMaxToken: 'u32', cbMaxSignature: 'u32', cbBlockSize: 'u32', cbSecurityTrailer: 'u32' },
  SecPkgContext_NamesW: { sUserName: 'pointer' },
  SecPkgContext_NativeNamesW: { sClientName: 'pointer', sServerName: 'pointer' },
  SecPkgContext_PackageInfoW: { PackageInfo: 'pointer' },
  SecPkgContext_NegotiationInfoW: { PackageInfo: 'pointer', NegotiationState: 'u32' },
  SecPkgContext_SessionKey: { SessionKeyLength: 'u32', SessionKey: 'pointer' },
  SecPkgContext_Flags: { Flags: 'u32' },
  SecPkgContext_ClientSpecifiedTarget: { sTargetName: 'pointer' },
  SecPkgContext_AccessToken: { AccessToken: 'pointer' },
  SEC_CHANNEL_BINDINGS: {
    dwInitiatorAddrType: 'u32',
    cbInitiatorLength: 'u32',
    dwInitiatorOffset: 'u32',
    dwAcceptorAddrType: 'u32',
    cbAcceptorLength: 'u32',
    dwAcceptorOffset: 'u32',
    cbApplicationDataLength: 'u32',
    dwApplicationDataOffset: 'u32',
  },
  SID_AND_ATTRIBUTES: { Sid: 'pointer', Attributes: 'u32' },
  SEC_WINNT_AUTH_IDENTITY_EXW: {
    Version: 'u32',
    Length: 'u32',
    User: 'pointer',
    UserLength: 'u32',
    Domain: 'pointer',
    DomainLength: 'u32',
    Password: 'pointer',
    PasswordLength: 'u32',
    Flags: 'u32',
    PackageList: 'pointer',
    PackageListLength: 'u32',
  },
  LSA_UNICODE_STRING: { Length: 'u16', MaximumLength: 'u16', Buffer: 'pointer' },
  LSA_OBJECT_ATTRIBUTES: {
    Length: 'u32',
    RootDirectory: 'pointer',
    ObjectName: 'pointer',
    Attributes: 'u32',
    SecurityDescriptor: 'pointer',
    SecurityQualityOfService: 'pointer',
  },
  LSA_REFERENCED_DOMAIN_LIST: { Entries: 'u32', Domains: 'pointer' },
  LSA_TRUST_INFORMATION: { Name: 'string', Sid: 'pointer' },
  LSA_TRANSLATED_NAME: { Use: 'u32', Name: 'string', DomainIndex: 'u32' },
  /** Groups is an array of GroupCount SID_AND_ATTRIBUTES; the field here stands for its start. */
  TOKEN_GROUPS: { GroupCount: 'u32', Groups: 'pointer' },
  ...tlsStructures,
} as const satisfies Record<string, Readonly<Record<string, FieldType>>>;

export type StructureName = keyof typeof structures;

/** Size and field offsets of a structure. */
export interface Layout<Field extends string = string> {
  /** Size in bytes, with the padding at the end (sizeof). */
  readonly size: number;
  /** Offset in bytes of each field (offsetof). */
  readonly offsets: Readonly<Record<Field, number>>;
}

/** Size of a pointer in bytes, for each Windows architecture that Node runs on. */
export const pointerSizes = { x64: 8, arm64: 8, ia32: 4 } as const;

function typeLayout(type: FieldType, pointerBytes: 4 | 8): readonly [size: number, alignment: number] {
  switch (type) {
    case 'u8':
      return [1, 1];
    case 'u16':
      return [2, 2];
    case 'u32':
      return [4, 4];
    case 'pointer':
      return [pointerBytes, pointerBytes];
    case 'string':
      // Two numbers of 16 bits, padding, and a pointer.
      return [2 * pointerBytes, pointerBytes];
    case 'text64':
      return [128, 2];
    case 'bytes32':
      return [32, 1];
    case 'bytes255':
      return [255, 1];
  }
}

/**
 * Computes the layout of a structure with natural alignment.
 *
 * @param pointerBytes size of a pointer in bytes: 8 on x64 and arm64, 4 on ia32
 */
export function layoutOf<Name extends StructureName>(
  name: Name,
  pointerBytes: 4 | 8,
): Layout<keyof (typeof structures)[Name] & string> {
  const offsets: Record<string, number> = {};
  let at = 0;
  let widest = 1;
  for (const [field, type] of Object.entries<FieldType>(structures[name])) {
    const [size, alignment] = typeLayout(type, pointerBytes);
    at = Math.ceil(at / alignment) * alignment;
    offsets[field] = at;
    at += size;
    widest = Math.max(widest, alignment);
  }
  const layout: Layout = { size: Math.ceil(at / widest) * widest, offsets };
  return layout;
}

/** Size of a pointer in this process, in bytes. */
export const pointerBytes: 4 | 8 = process.arch === 'ia32' ? 4 : 8;

/** The layouts of this process. */
export const layouts: { readonly [Name in StructureName]: Layout<keyof (typeof structures)[Name] & string> } =
  Object.fromEntries(
    (Object.keys(structures) as StructureName[]).map((name) => [name, layoutOf(name, pointerBytes)]),
  ) as never;

const P = 'void *';
const U = 'uint32';
const W = 'str16';

/** Parameter types of the functions, in the order of their documentation. Each function returns an int32. */
export const securityFunctions = {
  EnumerateSecurityPackagesW: [P, P],
  QuerySecurityPackageInfoW: [W, P],
  AcquireCredentialsHandleW: [W, W, U, P, P, P, P, P, P],
  FreeCredentialsHandle: [P],
  AcceptSecurityContext: [P, P, P, U, U, P, P, P, P],
  CompleteAuthToken: [P, P],
  ApplyControlToken: [P, P],
  DeleteSecurityContext: [P],
  FreeContextBuffer: [P],
  QueryContextAttributesW: [P, U, P],
  QuerySecurityContextToken: [P, P],
  ImpersonateSecurityContext: [P],
  RevertSecurityContext: [P],
  MakeSignature: [P, U, P, U],
  VerifySignature: [P, P, U, P],
  EncryptMessage: [P, U, P, U],
  DecryptMessage: [P, P, U, P],
} as const;

/** Functions of advapi32.dll that read access tokens. */
export const tokenFunctions = {
  GetTokenInformation: [P, U, P, U, P],
  OpenThreadToken: [P, U, U, P],
} as const;

/** Functions of advapi32.dll that look up names (ntsecapi.h). They return an NTSTATUS. */
export const nameFunctions = {
  LsaOpenPolicy: [P, P, U, P],
  LsaLookupSids2: [P, U, U, P, P, P],
  LsaFreeMemory: [P],
} as const;

/** Functions of crypt32.dll that give a pointer: a certificate store, a certificate. */
export const storeFunctions = {
  PFXImportCertStore: [P, P, U],
  CertEnumCertificatesInStore: [P, P],
} as const;

/** Functions of crypt32.dll that give a BOOL. */
export const certificateFunctions = {
  CertCloseStore: [P, U],
  CertFreeCertificateContext: [P],
  CertGetCertificateContextProperty: [P, U, P, P],
} as const;

/** A function of advapi32.dll that deletes a key of CryptoAPI. It gives a BOOL. */
export const keySetFunctions = { CryptAcquireContextW: [P, P, P, U, U] } as const;

/** Functions of ncrypt.dll that delete a key of CNG. */
export const keyFunctions = {
  NCryptOpenStorageProvider: [P, P, U],
  NCryptOpenKey: [P, P, P, U, U],
  NCryptDeleteKey: [P, U],
  NCryptFreeObject: [P],
} as const;

/** Functions of kernel32.dll. */
export const handleFunctions = { CloseHandle: [P], GetCurrentThread: [], LocalFileTimeToFileTime: [P, P] } as const;

/** A function of secur32.dll (secext.h). It returns a BOOLEAN, of which only the lowest byte counts. */
export const accountFunctions = { GetUserNameExW: [U, P, P] } as const;

/** TOKEN_INFORMATION_CLASS. */
export const TOKEN_USER = 1;
export const TOKEN_GROUPS = 2;
export const TOKEN_IMPERSONATION_LEVEL = 9;

/** TOKEN_QUERY: the right to call GetTokenInformation. */
export const TOKEN_QUERY = 0x0008;
/** SECURITY_IMPERSONATION_LEVEL: from here on the thread acts as the client. Below, it can only tell who that is. */
export const SECURITY_IMPERSONATION = 2;

/** POLICY_LOOKUP_NAMES: the right to call LsaLookupSids2. */
export const POLICY_LOOKUP_NAMES = 0x0800;
/** NTSTATUS: only some of the SIDs have a name. */
export const STATUS_SOME_NOT_MAPPED = 0x00000107;
/** NTSTATUS: none of the SIDs has a name. */
export const STATUS_NONE_MAPPED = 0xc0000073;
/** SID_NAME_USE of a SID without a name. */
export const SID_TYPE_INVALID = 7;
export const SID_TYPE_UNKNOWN = 8;

/** EXTENDED_NAME_FORMAT: `DOMAIN\account`. */
export const NAME_SAM_COMPATIBLE = 2;

/** SE_GROUP_* of winnt.h. */
export const SE_GROUP_USE_FOR_DENY_ONLY = 0x00000010;
export const SE_GROUP_LOGON_ID = 0xc0000000;
/** SE_GROUP_INTEGRITY: the entry is the mandatory integrity label, not a group. */
export const SE_GROUP_INTEGRITY = 0x00000020;

/** An attribute that only WinPR has: name and domain of the client, as two UTF-8 arrays of 257 bytes each. */
export const WINPR_SECPKG_ATTR_AUTH_IDENTITY = 1001;
export const WINPR_AUTH_IDENTITY_FIELD_BYTES = 257;
