/** What an accepted AP-REQ is in the words of AcceptSecurityContext. */
import { SECBUFFER_CHANNEL_BINDINGS_RESULT } from '../sspi/buffers.ts';
import type { SecBuffer } from '../sspi/buffers.ts';
import * as Requirements from '../sspi/requirements.ts';
import * as Gss from '../formats/kerberos/gss-flags.ts';

/** SEC_CHANNEL_BINDINGS_RESULT (sspi.h), 32 bits little-endian. */
const CLIENT_SUPPORT = 0x1;
const ABSENT = 0x2;
const VALID_MATCHED = 0x10;
const VALID_MISSING = 0x40;

/**
 * Makes the buffer SECBUFFER_CHANNEL_BINDINGS_RESULT.
 *
 * @param bound whether the client sent the right channel bindings
 */
export function bindingsResult(bound: boolean): SecBuffer {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(bound ? CLIENT_SUPPORT | VALID_MATCHED : ABSENT | VALID_MISSING);
  return { type: SECBUFFER_CHANNEL_BINDINGS_RESULT, data };
}

const attributesOfFlags: readonly { readonly gss: number; readonly ret: number }[] = [
  { gss: Gss.GSS_C_MUTUAL_FLAG, ret: Requirements.ASC_RET_MUTUAL_AUTH },
  { gss: Gss.GSS_C_REPLAY_FLAG, ret: Requirements.ASC_RET_REPLAY_DETECT },
  { gss: Gss.GSS_C_SEQUENCE_FLAG, ret: Requirements.ASC_RET_SEQUENCE_DETECT },
  { gss: Gss.GSS_C_CONF_FLAG, ret: Requirements.ASC_RET_CONFIDENTIALITY },
  { gss: Gss.GSS_C_INTEG_FLAG, ret: Requirements.ASC_RET_INTEGRITY },
  { gss: Gss.GSS_C_IDENTIFY_FLAG, ret: Requirements.ASC_RET_IDENTIFY },
];

/**
 * The ASC_RET_* bits of an established context.
 *
 * @param flags GSS_C_* bits of the context
 * @param delegated whether the client delegated credentials and they were stored
 * @param requirements ASC_REQ_* bits of the call
 */
export function contextAttributes(flags: number, delegated: boolean, requirements: number): number {
  let attributes = delegated ? Requirements.ASC_RET_DELEGATE : 0;
  for (const { gss, ret } of attributesOfFlags) if ((flags & gss) !== 0) attributes |= ret;
  if ((requirements & Requirements.ASC_REQ_CONNECTION) !== 0) attributes |= Requirements.ASC_RET_CONNECTION;
  if ((requirements & Requirements.ASC_REQ_EXTENDED_ERROR) !== 0) attributes |= Requirements.ASC_RET_EXTENDED_ERROR;
  return attributes;
}
