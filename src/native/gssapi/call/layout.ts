/**
 * Where the GSSAPI of each system lies, which implementation it is, and how that lays its structures out, as data.
 *
 * Linux has been tested with MIT krb5 and with Heimdal 7. What stands here of macOS is from Apple's published headers and
 * lists of exported symbols, and has never run.
 */

/** Functions by a name of ours: their symbol and how many arguments they take. */
export type FunctionTable = Readonly<Record<string, readonly [symbol: string, argumentCount: number]>>;

/** Whose functions beyond RFC 2744 a library has. Apple's are Heimdal's. */
export type Implementation = 'MIT' | 'Heimdal';

/** Where a library is. */
export interface GssapiLocation {
  /** Library of the gss_ functions, as dlopen takes it. */
  readonly gssapi: string;
  /** Library of the krb5_ functions. Undefined: the one that `gssapi` itself was linked with. */
  readonly krb5?: string;
}

/** Offsets in bytes of those members of GSSAPI's structures that are not the same everywhere (64-bit machines). */
export interface GssapiLayout {
  /** `elements` of gss_OID_desc. */
  readonly oidElements: number;
  /** gss_channel_bindings_struct (RFC 2744 section 3.11). */
  readonly bindings: {
    readonly initiatorAddress: number;
    readonly acceptorAddressType: number;
    readonly acceptorAddress: number;
    readonly applicationData: number;
  };
}

const natural: GssapiLayout = Object.freeze({
  oidElements: 8,
  bindings: Object.freeze({ initiatorAddress: 8, acceptorAddressType: 24, acceptorAddress: 32, applicationData: 48 }),
});

/** `#pragma pack(push,2)`. */
const packed: GssapiLayout = Object.freeze({
  oidElements: 4,
  bindings: Object.freeze({ initiatorAddress: 4, acceptorAddressType: 20, acceptorAddress: 24, applicationData: 40 }),
});

const linux: readonly GssapiLocation[] = Object.freeze([
  { gssapi: 'libgssapi_krb5.so.2' },
  { gssapi: 'libgssapi.so.3' },
]);

const GSS_FRAMEWORK = '/System/Library/Frameworks/GSS.framework/GSS';
/** Kerberos.framework has the same symbols over structures of MIT's layout, which GSS.framework does not take. */
const HEIMDAL_FRAMEWORK = '/System/Library/PrivateFrameworks/Heimdal.framework/Heimdal';

const darwin: readonly GssapiLocation[] = Object.freeze([
  { gssapi: '/opt/homebrew/opt/krb5/lib/libgssapi_krb5.dylib' },
  { gssapi: '/usr/local/opt/krb5/lib/libgssapi_krb5.dylib' },
  { gssapi: GSS_FRAMEWORK, krb5: HEIMDAL_FRAMEWORK },
]);

/** The libraries to try on a platform of Node, in this order. */
export function gssapiLocations(platform: NodeJS.Platform): readonly GssapiLocation[] {
  switch (platform) {
    case 'win32':
      return [];
    case 'darwin':
      return darwin;
    default:
      return linux;
  }
}

/** The place of a library the operator named by name or path. */
export function gssapiLocationOf(library: string): GssapiLocation {
  return isGssFramework(library) ? { gssapi: library, krb5: HEIMDAL_FRAMEWORK } : { gssapi: library };
}

function isGssFramework(library: string): boolean {
  return /(?:^|\/)GSS\.framework\//.test(library);
}

/** Exported variables with the OID of Kerberos, by which the implementations are told apart: names of files are not. */
const marks: readonly (readonly [string, Implementation])[] = [
  ['gss_mech_krb5', 'MIT'],
  ['__gss_krb5_mechanism_oid_desc', 'Heimdal'],
];

/**
 * Whose library it is.
 *
 * @param exports whether the library exports a symbol
 * @returns undefined where it is neither
 */
export function implementationOf(exports: (symbol: string) => boolean): Implementation | undefined {
  return marks.find(([symbol]) => exports(symbol))?.[1];
}

/**
 * How a library lays its structures out. Apple packs them to two bytes, as its MIT once did, on all its processors before
 * ARM (gssapi.h of GSS.framework); MIT of Homebrew does not.
 */
export function gssapiLayout(
  { gssapi }: GssapiLocation,
  platform: NodeJS.Platform,
  architecture: NodeJS.Architecture,
): GssapiLayout {
  return platform === 'darwin' && architecture !== 'arm64' && isGssFramework(gssapi) ? packed : natural;
}
