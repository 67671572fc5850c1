/**
 * The GSSAPI libraries of each system: their paths, how to tell MIT krb5 from Heimdal, and the layout of their
 * structures.
 *
 * On Linux, MIT krb5 and Heimdal 7 are tested. The values for macOS are from Apple's published headers and lists of
 * exported symbols. They have never been tested.
 */

/** Functions to bind. The key is the name in this code; the value is the symbol and the number of arguments. */
export type FunctionTable = Readonly<Record<string, readonly [symbol: string, argumentCount: number]>>;

/** The implementation of a GSSAPI library: it decides which functions beyond RFC 2744 exist. Apple's is Heimdal. */
export type Implementation = 'MIT' | 'Heimdal';

/** Where a GSSAPI library is found. */
export interface GssapiLocation {
  /** Library of the gss_ functions: a name or path for dlopen. */
  readonly gssapi: string;
  /** Library of the krb5_ functions. Undefined: the one that `gssapi` is linked with. */
  readonly krb5?: string;
}

/** Offsets, in bytes, of the members of GSSAPI structures that differ between systems (64-bit machines). */
export interface GssapiLayout {
  /** Offset of `elements` in gss_OID_desc. */
  readonly oidElements: number;
  /** Offsets in gss_channel_bindings_struct (RFC 2744 section 3.11). */
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
/** Not Kerberos.framework: it exports the same names, but its structures have MIT's layout, unlike GSS.framework's. */
const HEIMDAL_FRAMEWORK = '/System/Library/PrivateFrameworks/Heimdal.framework/Heimdal';

const darwin: readonly GssapiLocation[] = Object.freeze([
  { gssapi: '/opt/homebrew/opt/krb5/lib/libgssapi_krb5.dylib' },
  { gssapi: '/usr/local/opt/krb5/lib/libgssapi_krb5.dylib' },
  { gssapi: GSS_FRAMEWORK, krb5: HEIMDAL_FRAMEWORK },
]);

/** The libraries to try on a platform, in this order. Empty on Windows. */
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

/** The location of a library that option `library` names. */
export function gssapiLocationOf(library: string): GssapiLocation {
  return isGssFramework(library) ? { gssapi: library, krb5: HEIMDAL_FRAMEWORK } : { gssapi: library };
}

function isGssFramework(library: string): boolean {
  return /(?:^|\/)GSS\.framework\//.test(library);
}

/** An exported variable that identifies each implementation: the OID of Kerberos. File names do not identify them. */
const identifyingSymbols: readonly (readonly [string, Implementation])[] = [
  ['gss_mech_krb5', 'MIT'],
  ['__gss_krb5_mechanism_oid_desc', 'Heimdal'],
];

/**
 * Finds out which implementation a library is.
 *
 * @param exports whether the library exports a symbol
 * @returns undefined if it is neither MIT krb5 nor Heimdal
 */
export function implementationOf(exports: (symbol: string) => boolean): Implementation | undefined {
  return identifyingSymbols.find(([symbol]) => exports(symbol))?.[1];
}

/**
 * The structure layout of a library. Apple packs the structures to two bytes on all processors before ARM (gssapi.h of
 * GSS.framework), as Apple's old MIT krb5 did. MIT krb5 of Homebrew does not pack them.
 */
export function gssapiLayout(
  { gssapi }: GssapiLocation,
  platform: NodeJS.Platform,
  architecture: NodeJS.Architecture,
): GssapiLayout {
  return platform === 'darwin' && architecture !== 'arm64' && isGssFramework(gssapi) ? packed : natural;
}
