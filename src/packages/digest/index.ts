/** The Digest package: HTTP Digest (RFC 7616) behind acceptSecurityContext. */
export { digestPackage } from './digest-package.ts';
export { grantableAttributes } from './digest-info.ts';
export { digestOptions, digestProtocolOptions } from './digest-auth-data.ts';
export type { DigestAuthData } from './digest-auth-data.ts';
