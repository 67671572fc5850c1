/** The CredSSP package: TLS, then Negotiate, then the client's password, behind acceptSecurityContext. */
export { credsspOptions } from './credssp-auth-data.ts';
export type { CredSspAuthData } from './credssp-auth-data.ts';
export { credsspPackage } from './credssp-package.ts';
