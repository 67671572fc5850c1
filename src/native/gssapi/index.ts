/** The package Kerberos of the system's GSSAPI: what src/authenticator/providers/offered-schemes.ts takes from this folder. */
export { detectKerberos } from './detect.ts';
export type { KerberosDetection } from './detect.ts';
export { kerberosPackage } from './kerberos.ts';
export type { KerberosAuthData } from './kerberos-auth-data.ts';
