/** Certificates with their keys (certificates.json): the test's own authorities, servers and clients. */
import { readFileSync } from 'node:fs';

/** PEM. */
export interface CertificateAndKey {
  readonly cert: string;
  readonly key: string;
}

export type CertificateName =
  'ca' | 'otherCa' | 'server' | 'serverEc' | 'alice' | 'twoSids' | 'uri' | 'stranger' | 'expired';

export const certificates = JSON.parse(readFileSync(new URL('certificates.json', import.meta.url), 'utf8')) as Readonly<
  Record<CertificateName, CertificateAndKey>
> & {
  /** Base64 of PKCS #12 with the certificate of `server`; passphrase `opens`. */
  readonly pfx: string;
};
