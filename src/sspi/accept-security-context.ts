/**
 * AcceptSecurityContext (General). Each call takes a token of the client and gives a status and a reply token, until
 * the context is established.
 *
 * This module does what is the same for every package: it owns the handles, allows one call at a time, gives attributes
 * only after the last leg, fills the output buffers, and deletes a context exactly once. The package implements the
 * protocol.
 */
import { errorKind } from '../foundation/errors.ts';
import { findBuffer, SECBUFFER_ALERT, SECBUFFER_EXTRA, SECBUFFER_TOKEN, SECBUFFER_TYPE_MASK } from './buffers.ts';
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
  /** phContext: undefined on the first leg; on later legs the handle that the first leg gave. */
  readonly context: ContextHandle | undefined;
  /** pInput: the client's token in a SECBUFFER_TOKEN buffer, and other buffers that the package takes. */
  readonly input: readonly SecBuffer[] | undefined;
  /** fContextReq: ASC_REQ_* bits. */
  readonly requirements: number;
  /** TargetDataRep: SECURITY_NATIVE_DREP or SECURITY_NETWORK_DREP; unused by Schannel and Digest. */
  readonly targetDataRep: number;
  /**
   * pOutput: the caller's own buffers. The buffers of each type are filled in order. SEC_E_INSUFFICIENT_MEMORY if there
   * is no buffer for a token, or a buffer is too small. If `output` is left out, or with ASC_REQ_ALLOCATE_MEMORY, the
   * output is allocated. SECBUFFER_EXTRA needs no buffer. A failure is given in a buffer where it fits and allocated
   * elsewhere; its SECBUFFER_ALERT only if there is a buffer for it.
   */
  readonly output?: readonly SecBuffer[] | undefined;
  /**
   * Not of the function of Windows. Whether nobody wants the result any more, such as when the client has gone. A
   * package whose call waits for its turn asks before it begins. The result of a call that did not begin is
   * SEC_E_UNFINISHED_CONTEXT_DELETED. A call on a context that was deleted is abandoned in any case.
   */
  readonly abandoned?: (() => boolean) | undefined;
}

/** Result of acceptSecurityContext. */
export interface AcceptSecurityContextResult {
  /** SEC_*, unsigned 32 bits. */
  readonly status: number;
  /** phNewContext: the context for the next call. Undefined after a failure, because a failure deletes the context. */
  readonly context: ContextHandle | undefined;
  /**
   * Tokens to send to the client: with SEC_I_CONTINUE_NEEDED, perhaps with SEC_E_OK, rarely with a failure. Then
   * SECBUFFER_EXTRA, if a part of the input was not consumed: it is always there, whatever buffers the caller gave.
   */
  readonly output: readonly SecBuffer[];
  /**
   * With SEC_E_INCOMPLETE_MESSAGE: how many bytes are missing at least (the count of SECBUFFER_MISSING), where the
   * package can tell. Nothing was consumed: the next call takes the same bytes again, and more.
   */
  readonly missing?: number | undefined;
  /** pfContextAttr: ASC_RET_* bits. Before the last leg undefined, or only ASC_RET_ALLOCATED_MEMORY. */
  readonly attributes: number | undefined;
  /** ptsExpiry: when the context ends; undefined before the last leg, and if it never ends. */
  readonly expiry: Date | undefined;
  /** With a failure: its cause, if the package knows it. For the server's own log, never for the client. */
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
 * The server's part of one leg of a handshake.
 *
 * Every result is a status; only a program error (an argument of the wrong type) throws. A failure deletes the context:
 * its handle is then invalid, and another call with it gives SEC_E_INVALID_HANDLE. A call on a context that is in use
 * by another call gives SEC_E_INVALID_HANDLE and does not disturb that call.
 *
 * @returns the result; a promise of it only if the package returned a promise. Await it always, or test for a promise
 *   first and use a result without a promise at once
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
  const { abandoned } = call;
  const laterCall = { ...call, abandoned: () => record.deleteWhenIdle || abandoned?.() === true };
  return run(
    () => record.context.accept(laterCall),
    (reply) => laterLeg(handle, record, reply, parameters, call),
  );
}

/**
 * CompleteAuthToken: the result after SEC_I_COMPLETE_NEEDED or SEC_I_COMPLETE_AND_CONTINUE.
 *
 * @param context the handle that acceptSecurityContext gave with that status
 * @param token the output buffers of that call
 * @returns the same as acceptSecurityContext; SEC_E_INVALID_HANDLE if the context does not wait for this call. After
 *   SEC_I_COMPLETE_AND_CONTINUE, SEC_E_OK means only that the token may be sent: the legs that follow establish the
 *   context
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
 * DeleteSecurityContext. May be called at any point of the handshake and after it.
 *
 * @returns SEC_E_OK; SEC_E_INVALID_HANDLE if the value is not a handle, was deleted before, or its handshake failed
 */
export function deleteSecurityContext(context: ContextHandle): number {
  return releaseContext(context) ? Status.SEC_E_OK : Status.SEC_E_INVALID_HANDLE;
}

function checkedCall(parameters: AcceptSecurityContextParameters): AcceptCall {
  const { requirements, targetDataRep, input = nothing, abandoned } = parameters;
  if (!fits32Bits(requirements)) throw new TypeError('acceptSecurityContext: requirements must be 32 bits');
  if (!fits32Bits(targetDataRep)) throw new TypeError('acceptSecurityContext: targetDataRep must be 32 bits');
  checkBuffers(input);
  if (parameters.output !== undefined) checkBuffers(parameters.output);
  return { input, requirements: requirements >>> 0, targetDataRep, abandoned };
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
 * Whether a value fits in 32 bits, signed (`a | b` is signed in JavaScript) or unsigned. Higher bits would be cut off
 * silently: a requirement would be lost, or a failure would become SEC_E_OK.
 */
function fits32Bits(value: unknown): boolean {
  return Number.isInteger(value) && ((value as number) >>> 0 === value || ((value as number) | 0) === value);
}

/**
 * Status for a freed credential. The pages of Digest, Schannel and CredSSP name another code than those of the other packages.
 */
function freedCredentialStatus(owner: SecurityPackage): number {
  const { name } = owner.info;
  return name === 'Digest' || name === 'Schannel' || name === 'CREDSSP'
    ? Status.SEC_E_NO_CREDENTIALS
    : Status.SEC_E_INVALID_HANDLE;
}

const noReply: AcceptReply = Object.freeze({
  status: Status.SEC_E_INTERNAL_ERROR,
  diagnosis: { text: 'the security package gave no status' },
});

/** The reply for an exception that a package threw. */
function exceptionReply(error: unknown): AcceptReply {
  const text = `an exception in the security package: ${errorKind(error)}`;
  const failure = { where: 'the security package', error };
  return { status: Status.SEC_E_INTERNAL_ERROR, diagnosis: { text, failure } };
}

/** Calls the package and takes its reply, synchronous or not. An exception is SEC_E_INTERNAL_ERROR (attack A21). */
function run(
  call: () => AcceptReply | Promise<AcceptReply>,
  settle: (reply: AcceptReply) => AcceptSecurityContextResult,
): AcceptSecurityContextResult | Promise<AcceptSecurityContextResult> {
  let reply: AcceptReply | Promise<AcceptReply>;
  try {
    reply = call();
  } catch (error) {
    reply = exceptionReply(error);
  }
  // A package may be plain JavaScript. A reply without a valid status is a failure, but its context must be deleted.
  const settleReply = (given: AcceptReply | null | undefined): AcceptSecurityContextResult =>
    settle(given && fits32Bits(given.status) ? given : { ...noReply, context: given?.context });
  return reply instanceof Promise
    ? reply.then(settleReply, (error: unknown) => settle(exceptionReply(error)))
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
    // A package that reports success without a context has verified no client.
    if (Status.keepsContext(status)) return failure(Status.SEC_E_INTERNAL_ERROR, nothing, reply.diagnosis);
    return failure(status, placeFailure(reply.output, parameters, call), reply.diagnosis);
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
    return failure(status, placeFailure(reply.output, parameters, call), reply.diagnosis);
  }
  const output = placeOutput(reply.output ?? nothing, parameters, call);
  if (output === undefined) {
    releaseContext(handle);
    return failure(Status.SEC_E_INSUFFICIENT_MEMORY);
  }
  const continues = record.phase === 'completingAndContinuing' && status === Status.SEC_E_OK;
  record.phase = continues ? 'negotiating' : phaseOf(status);
  const laterResult = result(status, handle, output, reply, call);
  return continues ? { ...laterResult, attributes: undefined, expiry: undefined } : laterResult;
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
  const attributes = allocated === 0 ? undefined : allocated;
  const expiry = undefined;
  return status === Status.SEC_E_INCOMPLETE_MESSAGE
    ? { status, context, output, attributes, expiry, missing: reply.missing }
    : { status, context, output, attributes, expiry };
}

/** The caller's own buffers, unless the output is to be allocated. */
function ownBuffers(
  { output }: AcceptSecurityContextParameters,
  { requirements }: AcceptCall,
): readonly SecBuffer[] | undefined {
  return (requirements & ASC_REQ_ALLOCATE_MEMORY) === 0 ? output : undefined;
}

/** Copies the output into the caller's buffers, if the caller gave any. Undefined if it does not fit. */
function placeOutput(
  output: readonly SecBuffer[],
  parameters: AcceptSecurityContextParameters,
  call: AcceptCall,
): readonly SecBuffer[] | undefined {
  const own = ownBuffers(parameters, call);
  if (own === undefined) return output;
  const placed: SecBuffer[] = [];
  for (const { type, data } of output) {
    // Windows points into the input for it. Without it the bytes would be lost.
    if (type === SECBUFFER_EXTRA) {
      placed.push({ type, data });
      continue;
    }
    const earlier = placed.filter((buffer) => buffer.type === type).length;
    const target = findBuffer(own, type & SECBUFFER_TYPE_MASK, earlier);
    // A token must be sent, so it needs a buffer. Other output (SECBUFFER_CHANNEL_BINDINGS_RESULT) may be left out.
    if (target === undefined && type !== SECBUFFER_TOKEN) continue;
    if (target === undefined || target.data.byteLength < data.byteLength) return undefined;
    target.data.set(data);
    placed.push({ type, data: target.data.subarray(0, data.byteLength) });
  }
  return placed;
}

/** The output of a failure: in the caller's buffers where it fits. A buffer that is too small must not hide the cause. */
function placeFailure(
  output: readonly SecBuffer[] = nothing,
  parameters: AcceptSecurityContextParameters,
  call: AcceptCall,
): readonly SecBuffer[] {
  const own = ownBuffers(parameters, call);
  if (own === undefined || output.length === 0) return output;
  const placed: SecBuffer[] = [];
  for (const { type, data } of output) {
    const target = findBuffer(own, type & SECBUFFER_TYPE_MASK);
    if (target === undefined && type === SECBUFFER_ALERT) continue;
    if (target === undefined || target.data.byteLength < data.byteLength) {
      placed.push({ type, data });
      continue;
    }
    target.data.set(data);
    placed.push({ type, data: target.data.subarray(0, data.byteLength) });
  }
  return placed;
}
