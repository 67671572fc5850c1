/** Description of the Digest package (SecPkgInfo). */
import type { SecurityPackageInfo } from '../../sspi/attributes.ts';
import { ASC_RET_CONNECTION, ASC_RET_REPLAY_DETECT, ASC_RET_SEQUENCE_DETECT } from '../../sspi/requirements.ts';

const SECPKG_FLAG_CONNECTION = 0x00000010;
const SECPKG_FLAG_MULTI_REQUIRED = 0x00000020;
const SECPKG_FLAG_ACCEPT_WIN32_NAME = 0x00000200;
/** SECPKG_ID_NONE of sspi.h: no identifier in DCE RPC. */
const SECPKG_ID_NONE = 0xffff;

export const digestInfo: SecurityPackageInfo = Object.freeze({
  name: 'Digest',
  comment: 'HTTP Digest, RFC 7616',
  capabilities: SECPKG_FLAG_CONNECTION | SECPKG_FLAG_MULTI_REQUIRED | SECPKG_FLAG_ACCEPT_WIN32_NAME,
  version: 1,
  rpcId: SECPKG_ID_NONE,
  maxToken: 4096,
});

/**
 * ASC_RET_* bits that a context has if they were required. CONNECTION: the context formats no messages. REPLAY_DETECT
 * and SEQUENCE_DETECT: the nonce counts detect replays and wrong order.
 */
export const grantableAttributes = ASC_RET_CONNECTION | ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT;
