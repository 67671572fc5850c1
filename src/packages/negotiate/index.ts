/** The Negotiate package: SPNEGO (RFC 4178) over Kerberos and NTLM behind acceptSecurityContext. */
export { negotiatePackage } from './negotiate-package.ts';
export type { NegotiateAuthData, NegotiateInnerPackage } from './auth-data.ts';
