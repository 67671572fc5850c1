/** Description of the NTLM package (SecPkgInfo). */
import type { SecurityPackageInfo } from '../../sspi/attributes.ts';

/** SECPKG_FLAG_INTEGRITY, PRIVACY, TOKEN_ONLY, CONNECTION and NEGOTIABLE of sspi.h. */
const CAPABILITIES = 0x1 | 0x2 | 0x4 | 0x10 | 0x800;

export const ntlmPackageInfo: SecurityPackageInfo = Object.freeze({
  name: 'NTLM',
  comment: 'NTLM Security Package',
  capabilities: CAPABILITIES,
  version: 1,
  /** RPC_C_AUTHN_WINNT. */
  rpcId: 10,
  maxToken: 2888,
});
