/** Description of the CredSSP package (SecPkgInfo). */
import type { SecurityPackageInfo } from '../../sspi/attributes.ts';

/**
 * SECPKG_FLAG_INTEGRITY, PRIVACY, CONNECTION, MULTI_REQUIRED, EXTENDED_ERROR, IMPERSONATION, ACCEPT_WIN32_NAME,
 * NEGOTIABLE, MUTUAL_AUTH and RESTRICTED_TOKENS of sspi.h, as Windows has them.
 */
const CAPABILITIES = 0x110733;

export const credsspPackageInfo: SecurityPackageInfo = Object.freeze({
  name: 'CREDSSP',
  comment: 'Microsoft CredSSP Security Provider',
  capabilities: CAPABILITIES,
  version: 1,
  /** SECPKG_ID_NONE. */
  rpcId: 0xffff,
  maxToken: 0x90a8,
});
