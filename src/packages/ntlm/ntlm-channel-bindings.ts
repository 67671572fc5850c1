/**
 * The channel-binding policy of the NTLM acceptor, MS-NLMP section 3.2.5.1.2 and the requirements of
 * AcceptSecurityContext. The columns are what the client sent as MsvAvChannelBindings, compared with the server's
 * bindings.
 *
 * | the server's bindings and requirements             | absent | all zero | another value | equal |
 * |----------------------------------------------------|--------|----------|---------------|-------|
 * | nothing                                            | pass   | pass     | pass          | pass  |
 * | bindings and ASC_REQ_ALLOW_MISSING_BINDINGS        | pass   | fail     | fail          | pass  |
 * | bindings                                           | fail   | fail     | fail          | pass  |
 * | ASC_REQ_PROXY_BINDINGS, no bindings                | fail   | fail     | pass          | pass  |
 * | ASC_REQ_PROXY_BINDINGS and ALLOW_MISSING_BINDINGS  | SEC_E_UNSUPPORTED_FUNCTION                |
 *
 * With ASC_REQ_PROXY_BINDINGS alone the server does not know the right value, so every value except zeros passes. A
 * client that supports channel bindings but has none sends zeros, so zeros do not count as absent. Bindings that are
 * given together with ASC_REQ_PROXY_BINDINGS must match, as they must without it.
 */
import { timingSafeEqual } from 'node:crypto';
import { channelBindingsHash } from '../../crypto/channel-bindings-hash.ts';
import { decodeChannelBindings } from '../../formats/channel-bindings.ts';
import { findBuffer, SECBUFFER_CHANNEL_BINDINGS, SECBUFFER_CHANNEL_BINDINGS_RESULT } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import { ASC_REQ_ALLOW_MISSING_BINDINGS, ASC_REQ_PROXY_BINDINGS } from '../../sspi/requirements.ts';
import type { AcceptCall } from '../../sspi/security-package.ts';

/** What the client's channel bindings must be. */
export type BindingsPolicy =
  | { readonly mode: 'none' }
  | { readonly mode: 'proxy' }
  | { readonly mode: 'require' | 'allowMissing'; readonly hash: Uint8Array };

/**
 * The policy of a call.
 *
 * @returns undefined if the requirements contradict each other (SEC_E_UNSUPPORTED_FUNCTION)
 * @throws MalformedTokenError if the server's own SEC_CHANNEL_BINDINGS structure is malformed
 */
export function bindingsPolicy({ input, requirements }: AcceptCall): BindingsPolicy | undefined {
  const allowMissing = (requirements & ASC_REQ_ALLOW_MISSING_BINDINGS) !== 0;
  const proxy = (requirements & ASC_REQ_PROXY_BINDINGS) !== 0;
  if (allowMissing && proxy) return undefined;
  const bindings = findBuffer(input, SECBUFFER_CHANNEL_BINDINGS)?.data;
  if (bindings === undefined || bindings.byteLength === 0) return { mode: proxy ? 'proxy' : 'none' };
  const hash = channelBindingsHash(decodeChannelBindings(bindings));
  return { mode: allowMissing ? 'allowMissing' : 'require', hash };
}

/**
 * Whether the client's bindings satisfy the policy.
 *
 * @param sent MsvAvChannelBindings of a verified response, 16 bytes; undefined if it has none
 */
export function meetsBindingsPolicy(policy: BindingsPolicy, sent: Uint8Array | undefined): boolean {
  switch (policy.mode) {
    case 'none':
      return true;
    case 'proxy':
      return sent?.some((byte) => byte !== 0) === true;
    case 'allowMissing':
      return sent === undefined || timingSafeEqual(sent, policy.hash);
    case 'require':
      return sent !== undefined && timingSafeEqual(sent, policy.hash);
  }
}

// SEC_CHANNEL_BINDINGS_RESULT.Flags (sspi.h).
const CLIENT_SUPPORT = 0x01;
const ABSENT = 0x02;
const VALID_MATCHED = 0x10;
const VALID_PROXY = 0x20;
const VALID_MISSING = 0x40;

/**
 * How the policy was met, as a SECBUFFER_CHANNEL_BINDINGS_RESULT buffer of four bytes, little-endian. Only for bindings
 * that meet the policy.
 *
 * @returns no buffer if the server required nothing
 */
export function bindingsResult(policy: BindingsPolicy, sent: Uint8Array | undefined): readonly SecBuffer[] {
  if (policy.mode === 'none') return [];
  const kind = policy.mode === 'proxy' ? VALID_PROXY : VALID_MATCHED;
  const flags = sent === undefined ? ABSENT | VALID_MISSING : CLIENT_SUPPORT | kind;
  return [{ type: SECBUFFER_CHANNEL_BINDINGS_RESULT, data: Uint8Array.of(flags, 0, 0, 0) }];
}
