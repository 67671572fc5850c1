/** The package Kerberos of the system's GSSAPI: what src/authenticator/providers/ takes from this folder. */
export { detectKerberos } from './detect.ts';
export type { KerberosDetection } from './detect.ts';
export { kerberosPackage } from './kerberos.ts';
export { kerberosOptions } from './kerberos-auth-data.ts';
export type { KerberosAuthData } from './kerberos-auth-data.ts';
