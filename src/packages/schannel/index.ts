/** The Schannel package: TLS 1.2 and 1.3 behind acceptSecurityContext. */
export { schannelOptions } from './schannel-auth-data.ts';
export type { MapCertificate, SchannelAuthData } from './schannel-auth-data.ts';
export type { ClientCertificate } from './client-certificate.ts';
export type { CertificateNames } from '../../formats/certificate-names.ts';
export { schannelPackage } from './schannel-package.ts';
