/** The NTLM package: MS-NLMP behind acceptSecurityContext. */
export { ntlmOptions } from './ntlm-auth-data.ts';
export type { NtlmAuthData } from './ntlm-auth-data.ts';
export { ntlmPackage } from './ntlm-package.ts';
