/**
 * One call of AcceptSecurityContext, and the replies for its failures.
 */
import { containsNtlmAuthenticate } from '../../formats/client-token.ts';
import {
  findBuffer,
  SECBUFFER_CHANNEL_BINDINGS,
  SECBUFFER_CHANNEL_BINDINGS_RESULT,
  SECBUFFER_TOKEN,
  SECBUFFER_TYPE_MASK,
} from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import { ASC_REQ_ALLOCATE_MEMORY, ASC_REQ_EXTENDED_ERROR } from '../../sspi/requirements.ts';
import type { AcceptCall, AcceptReply, Diagnosis } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { AbandonedCallError } from '../native-calls.ts';
import type { Lane } from '../native-calls.ts';
import { bindingFault, bindingPolicy, BINDINGS_RESULT_BYTES, libraryFlags } from './channel-binding-check.ts';
import type { BindingFault, BindingPolicy } from './channel-binding-check.ts';
import { diagnose } from './diagnosis.ts';
import type { NativeHandle } from './native-handles.ts';
import { processAccount } from './process-account.ts';
import type { Provider } from './provider.ts';
import type { Secur32Settings } from './secur32-auth-data.ts';
import { giveBackCallMemory, takeCallMemory } from './security-buffers.ts';
import type { CallMemory } from './security-buffers.ts';
import type { SharedCredential } from './shared-credential.ts';
import { tokenFacts } from './token-facts.ts';
import type { TokenFacts } from './token-facts.ts';

/** Smallest output buffer for a token, in bytes. Providers align and pad inside it, so cbMaxToken may not be enough. */
const MIN_TOKEN_BYTES = 4096;

/** What the contexts of a credential have in common. */
export interface ContextOwner {
  readonly provider: Provider;
  readonly credential: SharedCredential;
  readonly settings: Secur32Settings;
}

/**
 * Whether a context exists after AcceptSecurityContext of Negotiate, Kerberos or NTLM returned a status (attack G07).
 */
export function leavesContext(status: number): boolean {
  return Status.keepsContext(status) && status !== Status.SEC_E_INCOMPLETE_MESSAGE;
}

/**
 * The status to return for a failed call. It is never one that keeps a context, because no context is left: such a
 * status becomes SEC_E_INTERNAL_ERROR, and SEC_E_INCOMPLETE_MESSAGE becomes SEC_E_INVALID_TOKEN. Unknown codes stay as
 * they are: the contract takes each of them for a failure.
 *
 * @param first whether it was the first leg: there is no context yet whose handle could be wrong, but Negotiate gives
 *   SEC_E_INVALID_HANDLE for a token that cannot be a first one
 */
export function failureStatus(status: number, first = false): number {
  if (status === Status.SEC_E_INCOMPLETE_MESSAGE) return Status.SEC_E_INVALID_TOKEN;
  if (first && status === Status.SEC_E_INVALID_HANDLE) return Status.SEC_E_INVALID_TOKEN;
  return leavesContext(status) ? Status.SEC_E_INTERNAL_ERROR : status;
}

/** The reply for a leg that failed. */
export function failure(owner: ContextOwner, memory: CallMemory, leg: Leg): AcceptReply {
  const status = failureStatus(leg.status, leg.first);
  const wantsToken = (leg.requirements & ASC_REQ_EXTENDED_ERROR) !== 0;
  const fault = status === Status.SEC_E_BAD_BINDINGS ? bindingFault(leg.bindingFlags, leg.facts) : undefined;
  return {
    status,
    output: wantsToken ? errorTokens(memory, leg.room) : undefined,
    diagnosis: refusalDiagnosis(owner, { ...leg, status }, fault),
  };
}

/** The error token that a library made for the client (ASC_REQ_EXTENDED_ERROR). */
function errorTokens(memory: CallMemory, room: number): readonly SecBuffer[] | undefined {
  const tokens = readTokens(memory, 1, 1);
  // Wine leaves the size of the buffer as it was: there is no token in it.
  return tokens?.some(({ data }) => data.byteLength === room) === true ? undefined : tokens;
}

export function refusalDiagnosis(
  { provider }: ContextOwner,
  { status, facts, first }: Pick<Leg, 'status' | 'facts' | 'first'>,
  fault: BindingFault | undefined,
): Diagnosis | undefined {
  const functions = provider.library.token;
  const account = functions === undefined || facts.ticket === undefined ? undefined : processAccount(functions);
  return diagnose({ status, facts, first, fault, processAccount: account });
}

/** One leg. */
export interface Leg {
  /** What the library returned. */
  readonly status: number;
  readonly first: boolean;
  readonly lane: Lane;
  /** What the client's token says in the clear. */
  readonly facts: TokenFacts;
  readonly policy: BindingPolicy | undefined;
  /** SEC_CHANNEL_BINDINGS_RESULT. */
  readonly bindingFlags: number;
  /** ASC_REQ_* bits. */
  readonly requirements: number;
  /** Size of the buffer for the output token, in bytes. */
  readonly room: number;
}

/**
 * Calls AcceptSecurityContext.
 *
 * @param context undefined on the first leg
 * @param readReply reads the reply from the memory of the call. The memory is wiped when the promise of `readReply`
 *   settles
 */
export async function acceptLeg(
  { provider, credential }: ContextOwner,
  context: NativeHandle | undefined,
  call: AcceptCall,
  readReply: (memory: CallMemory, leg: Leg) => AcceptReply | Promise<AcceptReply>,
): Promise<AcceptReply> {
  const token = findBuffer(call.input, SECBUFFER_TOKEN)?.data;
  if (token === undefined || token.byteLength === 0) return { status: Status.SEC_E_INVALID_TOKEN };
  // The caller may reuse its buffers as soon as this function returns: what they say is read before.
  const { requirements, abandoned } = call;
  const lane: Lane = containsNtlmAuthenticate(token) ? 'ntlm' : 'general';
  const facts = tokenFacts(token);
  const policy = bindingPolicy(call);
  const room = Math.max(provider.info.maxToken, MIN_TOKEN_BYTES);
  const memory = takeCallMemory(bytesOf(call.input) + room + BINDINGS_RESULT_BYTES);
  try {
    const input = memory.describe(0, call.input.map(withPlainType));
    const output = memory.describe(1, [
      { type: SECBUFFER_TOKEN, size: room },
      ...(policy === undefined ? [] : [{ type: SECBUFFER_CHANNEL_BINDINGS_RESULT, size: BINDINGS_RESULT_BYTES }]),
    ]);
    if (context !== undefined) memory.handle.set(context.value);
    const status = await provider.call(
      { lane, abandoned },
      provider.library.security.AcceptSecurityContext,
      credential.handle.address,
      context?.address ?? null,
      input,
      (requirements & ~ASC_REQ_ALLOCATE_MEMORY) >>> 0,
      call.targetDataRep,
      memory.handleAddress,
      output,
      memory.attributesAddress,
      memory.expiryAddress,
    );
    const bindingFlags = policy === undefined ? 0 : libraryFlags(memory.read(1, 1));
    const first = context === undefined;
    return await readReply(memory, {
      status: status >>> 0,
      first,
      lane,
      facts,
      policy,
      bindingFlags,
      requirements,
      room,
    });
  } catch (error) {
    if (error instanceof AbandonedCallError) return { status: Status.SEC_E_UNFINISHED_CONTEXT_DELETED };
    throw error;
  } finally {
    giveBackCallMemory(memory);
  }
}

/**
 * Channel bindings without flags in their type. A library that compares the whole type would take bindings with
 * SECBUFFER_READONLY for a buffer that it does not know, and ask for none.
 */
function withPlainType(buffer: SecBuffer): SecBuffer {
  const type = buffer.type & SECBUFFER_TYPE_MASK;
  return type === SECBUFFER_CHANNEL_BINDINGS ? { type, data: buffer.data } : buffer;
}

export function bytesOf(buffers: readonly SecBuffer[]): number {
  return buffers.reduce((sum, { data }) => sum + data.byteLength, 0);
}

/**
 * The non-empty ones of the first `count` buffers of a descriptor, as SECBUFFER_TOKEN. Their type is ignored: only
 * tokens were asked for, and Wine's NTLM returns them as SECBUFFER_DATA. Undefined if a buffer is outside the memory of
 * the call.
 */
export function readTokens(memory: CallMemory, slot: 0 | 1, count: number): readonly SecBuffer[] | undefined {
  const tokens: SecBuffer[] = [];
  for (let index = 0; index < count; index++) {
    const buffer = memory.read(slot, index);
    if (buffer === undefined) return undefined;
    if (buffer.data.byteLength > 0) tokens.push({ type: SECBUFFER_TOKEN, data: buffer.data });
  }
  return tokens;
}
