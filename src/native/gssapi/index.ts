/**
 * The package Kerberos over the system's GSSAPI. These exports are for src/authenticator/providers/.
 */
export { detectKerberos, gssapiAbsence } from './detect.ts';
export type { KerberosDetection } from './detect.ts';
export { kerberosPackage } from './kerberos.ts';
export { kerberosOptions } from './kerberos-auth-data.ts';
export type { KerberosAuthData } from './kerberos-auth-data.ts';
