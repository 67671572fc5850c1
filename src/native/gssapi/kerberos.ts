/**
 * The security package Kerberos over the system's GSSAPI and a keytab. It has one leg: an AP-REQ in, and an AP-REP out
 * if the client requests mutual authentication.
 *
 * The library verifies the ticket, the Authenticator, the times, replay, channel bindings and the signature of the PAC.
 *
 * This package verifies that the token is a plain AP-REQ, so that no other mechanism of the library can be reached. It
 * verifies the encryption types and the service. It also verifies that channel bindings were really sent, and that the
 * PAC was verified and is well-formed.
 */
import type { AcquireCredentialsParameters, PackageCredential, SecurityPackage } from '../../sspi/security-package.ts';
import { Frame } from './call/frame.ts';
import { loadGssapi } from './call/library.ts';
import type { GssapiLibrary } from './call/library.ts';
import { defaultKeytabName } from './detect.ts';
import { extensionsOf } from './implementations.ts';
import { kerberosSettings, readKerberosOptions } from './kerberos-auth-data.ts';
import { KerberosCredential } from './kerberos-credential.ts';
import { kerberosPackageInfo } from '../../kerberos/package-info.ts';

/** The package. koffi and the GSSAPI library are loaded when the first credential is acquired. */
export const kerberosPackage: SecurityPackage = Object.freeze({
  info: kerberosPackageInfo,
  acquireCredentials: ({ principal, authData }: AcquireCredentialsParameters): PackageCredential => {
    const options = readKerberosOptions(authData);
    const library = loadGssapi(options.library);
    if (options.library === undefined) warnOfFallback(library, options.onWarning);
    const settings = kerberosSettings(options, principal, () => defaultKeytabName(library));
    const extensions = extensionsOf(library);
    extensions.checkSettings(library, settings);
    return new KerberosCredential({ frame: new Frame(library), extensions, settings });
  },
});

/** Tells the operator if another library than MIT krb5 verifies, although no option names it. */
export function warnOfFallback(
  { implementation, name }: Pick<GssapiLibrary, 'implementation' | 'name'>,
  onWarning: (message: string) => void,
): void {
  if (implementation === 'MIT') return;
  onWarning(
    `sspi-auth: MIT krb5 is not installed, so Kerberos is verified by ${implementation} (${name}). Its replay cache is ` +
      'in the memory of this process: other processes do not see its entries. Install MIT krb5, or name this library ' +
      'with the option "library".',
  );
}
