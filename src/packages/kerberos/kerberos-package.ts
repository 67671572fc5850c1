/**
 * The security package Kerberos without a library: all that it needs are the keys of the service and a clock. It has one
 * leg: an AP-REQ in, and an AP-REP out if the client requests mutual authentication (RFC 4120 section 3.2, RFC 4121,
 * MS-KILE section 3.4.5).
 */
import { portableKerberosPackageInfo } from '../../kerberos/package-info.ts';
import type { AcquireCredentialsParameters, PackageCredential, SecurityPackage } from '../../sspi/security-package.ts';
import { PortableKerberosCredential } from './kerberos-credential.ts';
import { portableSettings } from './portable-auth-data.ts';

export const portableKerberosPackage: SecurityPackage = Object.freeze({
  info: portableKerberosPackageInfo,
  acquireCredentials: ({ principal, authData }: AcquireCredentialsParameters): PackageCredential =>
    new PortableKerberosCredential(portableSettings(authData, principal)),
});
