/**
 * Whether a client whom the library has accepted is bound to the TLS connection. The library is asked first
 * (SECBUFFER_CHANNEL_BINDINGS_RESULT: Windows Server 2022 and newer answer). For NTLM the answer is checked here as well:
 * MsvAvChannelBindings is in the clear and covered by the proof. So a library that overlooks the bindings lets nobody in.
 */
import { timingSafeEqual } from 'node:crypto';
import { channelBindingsHash } from '../../crypto/channel-bindings-hash.ts';
import { decodeChannelBindings } from '../../formats/channel-bindings.ts';
import { findBuffer, SECBUFFER_CHANNEL_BINDINGS, SECBUFFER_CHANNEL_BINDINGS_RESULT } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import { ASC_REQ_ALLOW_MISSING_BINDINGS } from '../../sspi/requirements.ts';
import type { AcceptCall } from '../../sspi/security-package.ts';
import type { TokenFacts } from './token-facts.ts';

// SEC_CHANNEL_BINDINGS_RESULT.Flags (sspi.h).
const ABSENT = 0x02;
const NOTVALID_MISMATCH = 0x04;
const NOTVALID_MISSING = 0x08;
const VALID_MATCHED = 0x10;
const VALID_PROXY = 0x20;
const VALID_MISSING = 0x40;
const NOTVALID = NOTVALID_MISMATCH | NOTVALID_MISSING;

/** Size of SEC_CHANNEL_BINDINGS_RESULT in bytes. */
export const BINDINGS_RESULT_BYTES = 4;

/** Why a client is refused. `unknown`: nobody can tell which of the two. */
export type BindingFault = 'mismatch' | 'missing' | 'unknown';

/**
 * What the library said of the bindings: flags of SEC_CHANNEL_BINDINGS_RESULT. 0 if it said nothing.
 *
 * @param output undefined if the library's answer lies outside the memory of the call: then nothing can be trusted
 */
export function libraryFlags(output: SecBuffer | undefined): number {
  if (output === undefined) return NOTVALID;
  if (output.data.byteLength < BINDINGS_RESULT_BYTES) return 0;
  return Buffer.from(output.data).readUInt32LE(0);
}

/** What the client's bindings are compared with. */
export interface BindingPolicy {
  /** The hash that the client must have sent. */
  readonly hash: Uint8Array;
  /** Whether a client may send none (ASC_REQ_ALLOW_MISSING_BINDINGS). */
  readonly allowMissing: boolean;
}

/**
 * The policy of a call.
 *
 * @returns undefined if the call has no channel bindings
 * @throws MalformedTokenError if they are malformed
 */
export function bindingPolicy({ input, requirements }: AcceptCall): BindingPolicy | undefined {
  const bindings = findBuffer(input, SECBUFFER_CHANNEL_BINDINGS)?.data;
  if (bindings === undefined || bindings.byteLength === 0) return undefined;
  const allowMissing = (requirements & ASC_REQ_ALLOW_MISSING_BINDINGS) !== 0;
  return { hash: channelBindingsHash(decodeChannelBindings(bindings)), allowMissing };
}

/**
 * Checks the bindings of a client whom the library has accepted.
 *
 * @param policy of the last leg
 * @param flags see `libraryFlags`
 * @param enforces whether the library is known to refuse a client by itself: then its SEC_E_OK means that the client is
 *   bound, if the call required it
 * @returns the result buffers for the caller, empty if nobody can tell; or why the client is refused
 */
export function checkBindings(
  policy: BindingPolicy | undefined,
  flags: number,
  facts: TokenFacts,
  enforces: boolean,
): { readonly output: readonly SecBuffer[] } | { readonly fault: BindingFault } {
  if (policy === undefined) return { output: [] };
  const fault = faultOf(flags);
  if (fault !== undefined) return { fault };
  const { allowMissing, hash } = policy;
  const { ntlm } = facts;
  if (ntlm?.hasResponse === true) {
    const { channelBindings } = ntlm;
    if (channelBindings === undefined) return allowMissing ? result(ABSENT | VALID_MISSING) : { fault: 'missing' };
    return timingSafeEqual(channelBindings, hash) ? result(VALID_MATCHED) : { fault: faultOfNtlm(channelBindings) };
  }
  if ((flags & (VALID_MATCHED | VALID_PROXY)) !== 0) return result(flags);
  if ((flags & VALID_MISSING) !== 0) return allowMissing ? result(flags) : { fault: 'missing' };
  // The library said nothing. If bindings are required, it has refused a ticket without them by itself.
  if (allowMissing) return { output: [] };
  return enforces && facts.ticket !== undefined ? result(VALID_MATCHED) : { fault: 'unknown' };
}

/** Why a client was refused with SEC_E_BAD_BINDINGS, by what the library and the token say. */
export function bindingFault(flags: number, { ntlm }: TokenFacts): BindingFault {
  const fault = faultOf(flags);
  if (fault !== undefined) return fault;
  if (ntlm?.hasResponse !== true) return 'unknown';
  return ntlm.channelBindings === undefined ? 'missing' : faultOfNtlm(ntlm.channelBindings);
}

function faultOf(flags: number): BindingFault | undefined {
  if ((flags & NOTVALID) === 0) return undefined;
  return (flags & NOTVALID_MISMATCH) !== 0 ? 'mismatch' : 'missing';
}

/** A client that knows channel bindings and has none sends zeros. */
function faultOfNtlm(channelBindings: Uint8Array): BindingFault {
  return channelBindings.every((byte) => byte === 0) ? 'missing' : 'mismatch';
}

function result(flags: number): { readonly output: readonly SecBuffer[] } {
  const data = Buffer.alloc(BINDINGS_RESULT_BYTES);
  data.writeUInt32LE(flags >>> 0, 0);
  return { output: [{ type: SECBUFFER_CHANNEL_BINDINGS_RESULT, data }] };
}
