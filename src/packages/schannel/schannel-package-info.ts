/** Description of the Schannel package (SecPkgInfo). */
import type { SecurityPackageInfo } from '../../sspi/attributes.ts';

/**
 * SECPKG_FLAG_INTEGRITY, PRIVACY, CONNECTION, MULTI_REQUIRED, EXTENDED_ERROR, IMPERSONATION, ACCEPT_WIN32_NAME, STREAM
 * and MUTUAL_AUTH of sspi.h.
 */
const CAPABILITIES = 0x107b3;

export const schannelPackageInfo: SecurityPackageInfo = Object.freeze({
  name: 'Schannel',
  comment: 'Schannel Security Package',
  capabilities: CAPABILITIES,
  version: 1,
  /** RPC_C_AUTHN_GSS_SCHANNEL. */
  rpcId: 14,
  maxToken: 24576,
});
