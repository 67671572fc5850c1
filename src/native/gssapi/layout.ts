/**
 * Where the GSSAPI of each system lies and what differs between MIT krb5, Heimdal and Apple's GSS.framework, as data.
 *
 * MIT krb5 is the one this package is tested with. Heimdal (with Apple's) has no gss_acquire_cred_from before version 8:
 * there the keytab is named with gsskrb5_register_acceptor_identity, and the PAC is read whole.
 */

/** One implementation of GSSAPI with Kerberos. */
export interface GssapiLayout {
  readonly implementation: 'MIT' | 'Heimdal' | 'Apple';
  /** Library of the gss_ functions, as dlopen takes it. */
  readonly gssapi: string;
  /** Library of the krb5_ functions that copy a keytab. */
  readonly krb5: string;
  /** Offset in bytes of `elements` in gss_OID_desc: Apple packs its structures to two bytes. */
  readonly oidElementsOffset: 4 | 8;
  /** gss_acquire_cred_from takes the keytab and the replay cache. */
  readonly credentialStore: boolean;
}

const layout = (
  implementation: GssapiLayout['implementation'],
  gssapi: string,
  krb5: string,
  oidElementsOffset: 4 | 8,
  credentialStore: boolean,
): GssapiLayout => Object.freeze({ implementation, gssapi, krb5, oidElementsOffset, credentialStore });

const linux: readonly GssapiLayout[] = Object.freeze([layout('MIT', 'libgssapi_krb5.so.2', 'libkrb5.so.3', 8, true)]);

const darwin: readonly GssapiLayout[] = Object.freeze([
  layout('MIT', '/opt/homebrew/opt/krb5/lib/libgssapi_krb5.dylib', '/opt/homebrew/opt/krb5/lib/libkrb5.dylib', 8, true),
  layout('MIT', '/usr/local/opt/krb5/lib/libgssapi_krb5.dylib', '/usr/local/opt/krb5/lib/libkrb5.dylib', 8, true),
]);

/** The libraries to try on a platform of Node, in this order. */
export function gssapiLayouts(platform: NodeJS.Platform): readonly GssapiLayout[] {
  switch (platform) {
    case 'win32':
      return [];
    case 'darwin':
      return darwin;
    default:
      return linux;
  }
}

/**
 * The layout of a library the operator named.
 *
 * @param library path or name; the krb5 library of the same installation is looked for beside it
 */
export function gssapiLayoutOf(library: string): GssapiLayout {
  const krb5 = library
    .replace(/libgssapi_krb5\.so\.2(\.\d+)*$/, 'libkrb5.so.3')
    .replace(/libgssapi_krb5(?=\.)/, 'libkrb5');
  return layout('MIT', library, krb5, 8, true);
}
