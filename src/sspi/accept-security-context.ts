/**
 * AcceptSecurityContext (General): tokens of the client in, a status and the reply token out, until the context stands.
 *
 * This module holds what is true for every package: handles, one call at a time, attributes only after the last leg,
 * output buffers, deletion exactly once. The protocol is the package's.
 */
import { errorKind } from '../foundation/errors.ts';
import { findBuffer, SECBUFFER_TOKEN, SECBUFFER_TYPE_MASK } from './buffers.ts';
import type { SecBuffer } from './buffers.ts';
import { contextRecord, credentialRecord, deletePackageContext, registerContext, releaseContext } from './handles.ts';
import type { ContextHandle, ContextPhase, ContextRecord, CredentialHandle } from './handles.ts';
import { ASC_REQ_ALLOCATE_MEMORY, ASC_RET_ALLOCATED_MEMORY } from './requirements.ts';
import type { AcceptCall, AcceptReply, Diagnosis, SecurityPackage } from './security-package.ts';
import * as Status from './status.ts';

/** Parameters of acceptSecurityContext. */
export interface AcceptSecurityContextParameters {
  /** phCredential. */
  readonly credential: CredentialHandle | undefined;
  /** phContext: undefined on the first leg, later the handle that the first leg gave. */
  readonly context: ContextHandle | undefined;
  /** pInput: the client's token in a SECBUFFER_TOKEN buffer, and what else the package takes. */
  readonly input: readonly SecBuffer[] | undefined;
  /** fContextReq: ASC_REQ_* bits. */
  readonly requirements: number;
  /** TargetDataRep: SECURITY_NATIVE_DREP or SECURITY_NETWORK_DREP; unused by Schannel and Digest. */
  readonly targetDataRep: number;
  /**
   * pOutput: the caller's own buffers. Those of each type are filled in order; a token without a buffer, or a buffer that
   * is too small, gives SEC_E_INSUFFICIENT_MEMORY. Left out, or with ASC_REQ_ALLOCATE_MEMORY, the output is allocated.
   */
  readonly output?: readonly SecBuffer[] | undefined;
}

/** What acceptSecurityContext gives. */
export interface AcceptSecurityContextResult {
  /** SEC_*, unsigned 32 bits. */
  readonly status: number;
  /** phNewContext: the context to go on with; undefined after a failure, which deleted it. */
  readonly context: ContextHandle | undefined;
  /** Tokens to send to the client: with SEC_I_CONTINUE_NEEDED, perhaps with SEC_E_OK, rarely with a failure. */
  readonly output: readonly SecBuffer[];
  /** pfContextAttr: ASC_RET_* bits. Undefined before the last leg, but for ASC_RET_ALLOCATED_MEMORY alone. */
  readonly attributes: number | undefined;
  /** ptsExpiry: when the context ends; undefined before the last leg, or where it never ends. */
  readonly expiry: Date | undefined;
  /** With a failure: what the server's own log should know, where the package can say it. Never for the client. */
  readonly diagnosis?: Diagnosis | undefined;
}

const nothing: readonly SecBuffer[] = Object.freeze([]);

function failure(
  status: number,
  output: readonly SecBuffer[] = nothing,
  diagnosis?: Diagnosis,
): AcceptSecurityContextResult {
  return { status, context: undefined, output, attributes: undefined, expiry: undefined, diagnosis };
}

/**
 * The server half of one leg of a handshake.
 *
 * Every result is a status; only a program error (an argument of the wrong type) throws. A failure deletes the context:
 * the handle is dead, and calling again gives SEC_E_INVALID_HANDLE. A call on a context that is in use by another call
 * gives SEC_E_INVALID_HANDLE and does not disturb that call.
 *
 * @returns the result, synchronously where the package answered so: await it, or look for a promise to save a turn
 * @throws TypeError for arguments of the wrong type
 */
export function acceptSecurityContext(
  parameters: AcceptSecurityContextParameters,
): AcceptSecurityContextResult | Promise<AcceptSecurityContextResult> {
  const call = checkedCall(parameters);
  const credential = credentialRecord(parameters.credential);
  if (credential === undefined) return failure(Status.SEC_E_INVALID_HANDLE);
  if (credential.freed) return failure(freedCredentialStatus(credential.package));

  if (parameters.context === undefined) {
    const settle = (reply: AcceptReply): AcceptSecurityContextResult =>
      firstLeg(credential.package, reply, parameters, call);
    return run(() => credential.credential.accept(call), settle);
  }

  const handle = parameters.context;
  const record = contextRecord(handle);
  if (record === undefined || record.busy || record.package !== credential.package || isCompleting(record.phase)) {
    return failure(Status.SEC_E_INVALID_HANDLE);
  }
  record.busy = true;
  return run(
    () => record.context.accept(call),
    (reply) => laterLeg(handle, record, reply, parameters, call),
  );
}

/**
 * CompleteAuthToken: the result after SEC_I_COMPLETE_NEEDED or SEC_I_COMPLETE_AND_CONTINUE.
 *
 * @param context the handle acceptSecurityContext gave with that status
 * @param token the output buffers of that call
 * @returns like acceptSecurityContext; SEC_E_INVALID_HANDLE where the context does not wait for it. SEC_E_OK after
 *   SEC_I_COMPLETE_AND_CONTINUE says that the token may be sent; the context stands only after the legs that follow
 */
export function completeAuthToken(
  context: ContextHandle,
  token: readonly SecBuffer[],
): AcceptSecurityContextResult | Promise<AcceptSecurityContextResult> {
  const record = contextRecord(context);
  if (record === undefined || record.busy || !isCompleting(record.phase)) return failure(Status.SEC_E_INVALID_HANDLE);
  const call: AcceptCall = { input: token, requirements: 0, targetDataRep: 0 };
  const parameters = { credential: undefined, context, ...call };
  record.busy = true;
  return run(
    () => record.context.completeAuthToken?.(token) ?? { status: Status.SEC_E_UNSUPPORTED_FUNCTION },
    (reply) => laterLeg(context, record, reply, parameters, call),
  );
}

/**
 * DeleteSecurityContext: at any point of the handshake or after it.
 *
 * @returns SEC_E_OK, or SEC_E_INVALID_HANDLE for a handle that is not one, was deleted, or whose handshake failed
 */
export function deleteSecurityContext(context: ContextHandle): number {
  return releaseContext(context) ? Status.SEC_E_OK : Status.SEC_E_INVALID_HANDLE;
}

function checkedCall(parameters: AcceptSecurityContextParameters): AcceptCall {
  const { requirements, targetDataRep, input = nothing } = parameters;
  if (!fits32Bits(requirements)) throw new TypeError('acceptSecurityContext: requirements must be 32 bits');
  if (!fits32Bits(targetDataRep)) throw new TypeError('acceptSecurityContext: targetDataRep must be 32 bits');
  checkBuffers(input);
  if (parameters.output !== undefined) checkBuffers(parameters.output);
  return { input, requirements: requirements >>> 0, targetDataRep };
}

function checkBuffers(buffers: unknown): void {
  if (!Array.isArray(buffers)) {
    throw new TypeError('acceptSecurityContext: input and output must be arrays of SecBuffer');
  }
  for (const buffer of buffers as readonly (Partial<SecBuffer> | null | undefined)[]) {
    if (!Number.isInteger(buffer?.type) || !(buffer?.data instanceof Uint8Array)) {
      throw new TypeError('acceptSecurityContext: a SecBuffer is { type: integer, data: Uint8Array }');
    }
  }
}

/**
 * Bits or a status in either form that JavaScript gives them: signed (`a | b`) or unsigned. Past 32 bits something would be
 * cut off silently: a requirement dropped, or a failure turned into SEC_E_OK.
 */
function fits32Bits(value: unknown): boolean {
  return Number.isInteger(value) && ((value as number) >>> 0 === value || ((value as number) | 0) === value);
}

/** Pages of Digest and Schannel name a code of their own where the others say SEC_E_INVALID_HANDLE. */
function freedCredentialStatus(owner: SecurityPackage): number {
  const { name } = owner.info;
  return name === 'Digest' || name === 'Schannel' ? Status.SEC_E_NO_CREDENTIALS : Status.SEC_E_INVALID_HANDLE;
}

const noReply: AcceptReply = Object.freeze({
  status: Status.SEC_E_INTERNAL_ERROR,
  diagnosis: { text: 'the security package gave no status' },
});

/** An exception as a status. */
function thrown(error: unknown): AcceptReply {
  const text = `an exception in the security package: ${errorKind(error)}`;
  return { status: Status.SEC_E_INTERNAL_ERROR, diagnosis: { text } };
}

/** Runs a package's call, now or later, and turns an exception into SEC_E_INTERNAL_ERROR: fail closed (attack A21). */
function run(
  call: () => AcceptReply | Promise<AcceptReply>,
  settle: (reply: AcceptReply) => AcceptSecurityContextResult,
): AcceptSecurityContextResult | Promise<AcceptSecurityContextResult> {
  let reply: AcceptReply | Promise<AcceptReply>;
  try {
    reply = call();
  } catch (error) {
    reply = thrown(error);
  }
  // A package may be JavaScript: what is no reply is no result, but what context it brings has to be deleted.
  const settleReply = (given: AcceptReply | null | undefined): AcceptSecurityContextResult =>
    settle(given && fits32Bits(given.status) ? given : { ...noReply, context: given?.context });
  return reply instanceof Promise
    ? reply.then(settleReply, (error: unknown) => settle(thrown(error)))
    : settleReply(reply);
}

function firstLeg(
  owner: SecurityPackage,
  reply: AcceptReply,
  parameters: AcceptSecurityContextParameters,
  call: AcceptCall,
): AcceptSecurityContextResult {
  const status = reply.status >>> 0;
  const { context } = reply;
  if (!Status.keepsContext(status) || context === undefined) {
    if (context !== undefined) deletePackageContext(context);
    // A package that says yes without a context has verified nobody.
    const refused = Status.keepsContext(status) ? Status.SEC_E_INTERNAL_ERROR : status;
    return failure(refused, Status.keepsContext(status) ? nothing : reply.output, reply.diagnosis);
  }
  const output = placeOutput(reply.output ?? nothing, parameters, call);
  if (output === undefined) {
    deletePackageContext(context);
    return failure(Status.SEC_E_INSUFFICIENT_MEMORY);
  }
  return result(status, registerContext(owner, context, phaseOf(status)), output, reply, call);
}

function laterLeg(
  handle: ContextHandle,
  record: ContextRecord,
  reply: AcceptReply,
  parameters: AcceptSecurityContextParameters,
  call: AcceptCall,
): AcceptSecurityContextResult {
  record.busy = false;
  if (record.deleteWhenIdle) {
    deletePackageContext(record.context);
    return failure(Status.SEC_E_UNFINISHED_CONTEXT_DELETED);
  }
  const status = reply.status >>> 0;
  if (!Status.keepsContext(status)) {
    releaseContext(handle);
    return failure(status, reply.output, reply.diagnosis);
  }
  const output = placeOutput(reply.output ?? nothing, parameters, call);
  if (output === undefined) {
    releaseContext(handle);
    return failure(Status.SEC_E_INSUFFICIENT_MEMORY);
  }
  const goesOn = record.phase === 'completingAndContinuing' && status === Status.SEC_E_OK;
  record.phase = goesOn ? 'negotiating' : phaseOf(status);
  const laterResult = result(status, handle, output, reply, call);
  return goesOn ? { ...laterResult, attributes: undefined, expiry: undefined } : laterResult;
}

function isCompleting(phase: ContextPhase): boolean {
  return phase === 'completing' || phase === 'completingAndContinuing';
}

function phaseOf(status: number): ContextPhase {
  switch (status) {
    case Status.SEC_E_OK:
      return 'established';
    case Status.SEC_I_COMPLETE_NEEDED:
      return 'completing';
    case Status.SEC_I_COMPLETE_AND_CONTINUE:
      return 'completingAndContinuing';
    default:
      return 'negotiating';
  }
}

function result(
  status: number,
  context: ContextHandle,
  output: readonly SecBuffer[],
  reply: AcceptReply,
  call: AcceptCall,
): AcceptSecurityContextResult {
  const allocated = (call.requirements & ASC_REQ_ALLOCATE_MEMORY) !== 0 ? ASC_RET_ALLOCATED_MEMORY : 0;
  if (status === Status.SEC_E_OK) {
    return { status, context, output, attributes: ((reply.attributes ?? 0) | allocated) >>> 0, expiry: reply.expiry };
  }
  return { status, context, output, attributes: allocated === 0 ? undefined : allocated, expiry: undefined };
}

/** The output where the caller wants it; undefined where it does not fit. */
function placeOutput(
  output: readonly SecBuffer[],
  parameters: AcceptSecurityContextParameters,
  call: AcceptCall,
): readonly SecBuffer[] | undefined {
  if (parameters.output === undefined || (call.requirements & ASC_REQ_ALLOCATE_MEMORY) !== 0) return output;
  const placed: SecBuffer[] = [];
  for (const { type, data } of output) {
    const earlier = placed.filter((buffer) => buffer.type === type).length;
    const target = findBuffer(parameters.output, type & SECBUFFER_TYPE_MASK, earlier);
    // A token must be sent, so it must fit; what is only told (SECBUFFER_CHANNEL_BINDINGS_RESULT) needs a place to go.
    if (target === undefined && type !== SECBUFFER_TOKEN) continue;
    if (target === undefined || target.data.byteLength < data.byteLength) return undefined;
    target.data.set(data);
    placed.push({ type, data: target.data.subarray(0, data.byteLength) });
  }
  return placed;
}
