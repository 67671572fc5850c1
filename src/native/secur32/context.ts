/**
 * A security context of the native library: AcceptSecurityContext, CompleteAuthToken and the functions of a context.
 */
import { SECPKG_ATTR_NEGOTIATION_INFO, SECPKG_NEGOTIATION_COMPLETE } from '../../sspi/attributes.ts';
import type { ContextAttribute, ContextAttributeValues } from '../../sspi/attributes.ts';
import { findBuffer, SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import { ASC_REQ_ALLOCATE_MEMORY } from '../../sspi/requirements.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { AcceptCall, AcceptReply, Answer, PackageContext } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { queryContextAttribute } from './context-attributes.ts';
import type { SharedCredential } from './shared-credential.ts';
import { MessageProtection } from './message-protection.ts';
import { isHandle, NativeHandle } from './native-handles.ts';
import type { Provider } from './provider.ts';
import { giveBackCallMemory, takeCallMemory } from './security-buffers.ts';
import type { CallMemory } from './security-buffers.ts';
import { dateOfTimeStamp } from './time-stamp.ts';
import { contextIdentity } from './token-identity.ts';

/** Smallest output buffer for a token, in bytes. Providers align and pad inside it, so cbMaxToken may not be enough. */
const MIN_TOKEN_BYTES = 4096;

/** A native security context. */
export class Secur32Context implements PackageContext {
  readonly #provider: Provider;
  readonly #credential: SharedCredential;
  readonly #handle: NativeHandle;
  readonly #protection: MessageProtection;
  #attributes = 0;
  #expiry: Date | undefined;
  #identity: Answer<SecurityContextToken> = { status: Status.SEC_E_INVALID_HANDLE };

  private constructor(provider: Provider, credential: SharedCredential, handle: NativeHandle) {
    this.#provider = provider;
    this.#credential = credential.retain();
    this.#handle = handle;
    this.#protection = new MessageProtection(provider.library, handle);
  }

  /** Runs the first leg. The context is in the reply unless the status is a failure. */
  static begin(provider: Provider, credential: SharedCredential, call: AcceptCall): Promise<AcceptReply> {
    return acceptLeg(provider, credential, undefined, call, (memory, status) => {
      if (!leavesContext(status) || !isHandle(memory.handle)) {
        // A library may create a context before it fails. That context has to be deleted here.
        if (isHandle(memory.handle)) new NativeHandle(provider.library, 'contexts', memory.handle)[Symbol.dispose]();
        return { status: failureStatus(status) };
      }
      const handle = new NativeHandle(provider.library, 'contexts', memory.handle);
      const context = new Secur32Context(provider, credential, handle);
      return context.#readReply(memory, status).then(
        (reply) => (leavesContext(reply.status) ? { ...reply, context } : context.#discard(reply)),
        (error: unknown) => {
          context.delete();
          throw error;
        },
      );
    });
  }

  /** Runs a later leg. */
  accept(call: AcceptCall): Promise<AcceptReply> {
    return acceptLeg(this.#provider, this.#credential, this.#handle, call, (memory, status) => {
      if (!leavesContext(status)) return { status: failureStatus(status) };
      this.#handle.replace(memory.handle);
      return this.#readReply(memory, status);
    });
  }

  /** CompleteAuthToken. Its status replaces the one that AcceptSecurityContext returned before. */
  async completeAuthToken(token: readonly SecBuffer[]): Promise<AcceptReply> {
    const { CompleteAuthToken } = this.#provider.library.security;
    const memory = takeCallMemory(bytesOf(token));
    try {
      const descriptor = memory.describe(0, token);
      const status = (await this.#provider.call(CompleteAuthToken, this.#handle.address, descriptor)) >>> 0;
      if (status !== Status.SEC_E_OK) return { status: failureStatus(status) };
      const output = readTokens(memory, 0, token.length);
      if (output === undefined) return { status: Status.SEC_E_INTERNAL_ERROR };
      if (this.#continues) return { status: Status.SEC_I_CONTINUE_NEEDED, output };
      return await this.#established(output);
    } finally {
      giveBackCallMemory(memory);
    }
  }

  queryAttribute<A extends ContextAttribute>(attribute: A): Answer<ContextAttributeValues[A]> {
    const answer = queryContextAttribute(this.#provider.library, this.#handle.address, attribute);
    if (attribute !== SECPKG_ATTR_NEGOTIATION_INFO || answer.status !== Status.SEC_E_UNSUPPORTED_FUNCTION)
      return answer;
    // The library does not tell which package ran, so the package of this credential is returned. For Negotiate the
    // answer is then `Negotiate` itself, and a policy that requires a certain package refuses the client.
    const value: ContextAttributeValues[typeof SECPKG_ATTR_NEGOTIATION_INFO] = {
      package: this.#provider.info,
      state: SECPKG_NEGOTIATION_COMPLETE,
    };
    return { status: Status.SEC_E_OK, value: value as ContextAttributeValues[A] };
  }

  queryToken(): Answer<SecurityContextToken> {
    return this.#identity;
  }

  impersonate(): number {
    return this.#provider.library.security.ImpersonateSecurityContext(this.#handle.address) >>> 0;
  }

  revert(): number {
    return this.#provider.library.security.RevertSecurityContext(this.#handle.address) >>> 0;
  }

  /** Impersonation needs the context for as long as the client sends requests. It is possible on Windows only. */
  get keepAfterHandshake(): boolean {
    return this.#provider.library.token !== undefined;
  }

  makeSignature(message: readonly SecBuffer[], sequence: number | undefined): Answer<readonly SecBuffer[]> {
    return this.#protection.makeSignature(message, sequence);
  }

  verifySignature(message: readonly SecBuffer[], sequence: number | undefined): Answer<number> {
    return this.#protection.verifySignature(message, sequence);
  }

  encryptMessage(message: readonly SecBuffer[], sequence: number | undefined): Answer<readonly SecBuffer[]> {
    return this.#protection.encryptMessage(message, sequence);
  }

  decryptMessage(message: readonly SecBuffer[], sequence: number | undefined): Answer<readonly SecBuffer[]> {
    return this.#protection.decryptMessage(message, sequence);
  }

  delete(): void {
    this.#handle[Symbol.dispose]();
    this.#credential.release();
  }

  #continues = false;

  /** Reads the reply of a leg that did not fail. */
  async #readReply(memory: CallMemory, status: number): Promise<AcceptReply> {
    const output = readTokens(memory, 1, 1);
    // The library wrote more than the buffer holds, or says so. Then no result of this call can be trusted.
    if (output === undefined) return { status: Status.SEC_E_INTERNAL_ERROR };
    this.#attributes = memory.attributes;
    this.#expiry = dateOfTimeStamp(memory.expiry);
    this.#continues = status === Status.SEC_I_COMPLETE_AND_CONTINUE;
    return status === Status.SEC_E_OK ? await this.#established(output) : { status, output };
  }

  async #established(output: readonly SecBuffer[]): Promise<AcceptReply> {
    const { library, names } = this.#provider;
    this.#identity = await contextIdentity(library, names, this.#handle.address, this.#attributes);
    return { status: Status.SEC_E_OK, output, attributes: this.#attributes, expiry: this.#expiry };
  }

  #discard(reply: AcceptReply): AcceptReply {
    this.delete();
    return { status: reply.status };
  }
}

/**
 * Whether a context exists after AcceptSecurityContext of Negotiate, Kerberos or NTLM returned a status (attack G07).
 */
function leavesContext(status: number): boolean {
  return Status.keepsContext(status) && status !== Status.SEC_E_INCOMPLETE_MESSAGE;
}

/**
 * The status to return for a failed call. It is never one that keeps a context, because no context is left: such a
 * status becomes SEC_E_INTERNAL_ERROR, and SEC_E_INCOMPLETE_MESSAGE becomes SEC_E_INVALID_TOKEN. Unknown codes stay as
 * they are: the contract takes each of them for a failure.
 */
function failureStatus(status: number): number {
  if (status === Status.SEC_E_INCOMPLETE_MESSAGE) return Status.SEC_E_INVALID_TOKEN;
  return leavesContext(status) ? Status.SEC_E_INTERNAL_ERROR : status;
}

/**
 * Calls AcceptSecurityContext.
 *
 * @param context undefined on the first leg
 * @param readReply reads the reply from the memory of the call. The memory is wiped when the promise of `readReply`
 *   settles
 */
async function acceptLeg(
  provider: Provider,
  credential: SharedCredential,
  context: NativeHandle | undefined,
  call: AcceptCall,
  readReply: (memory: CallMemory, status: number) => AcceptReply | Promise<AcceptReply>,
): Promise<AcceptReply> {
  const token = findBuffer(call.input, SECBUFFER_TOKEN);
  if (token === undefined || token.data.byteLength === 0) return { status: Status.SEC_E_INVALID_TOKEN };
  const room = Math.max(provider.info.maxToken, MIN_TOKEN_BYTES);
  const memory = takeCallMemory(bytesOf(call.input) + room);
  try {
    const input = memory.describe(0, call.input);
    const output = memory.describe(1, [{ type: SECBUFFER_TOKEN, size: room }]);
    if (context !== undefined) memory.handle.set(context.value);
    const status = await provider.call(
      provider.library.security.AcceptSecurityContext,
      credential.handle.address,
      context?.address ?? null,
      input,
      (call.requirements & ~ASC_REQ_ALLOCATE_MEMORY) >>> 0,
      call.targetDataRep,
      memory.handleAddress,
      output,
      memory.attributesAddress,
      memory.expiryAddress,
    );
    return await readReply(memory, status >>> 0);
  } finally {
    giveBackCallMemory(memory);
  }
}

function bytesOf(buffers: readonly SecBuffer[]): number {
  return buffers.reduce((sum, { data }) => sum + data.byteLength, 0);
}

/**
 * The non-empty ones of the first `count` buffers of a descriptor, as SECBUFFER_TOKEN. Their type is ignored: only
 * tokens were asked for, and Wine's NTLM returns them as SECBUFFER_DATA. Undefined if a buffer is outside the memory of
 * the call.
 */
function readTokens(memory: CallMemory, slot: 0 | 1, count: number): readonly SecBuffer[] | undefined {
  const tokens: SecBuffer[] = [];
  for (let index = 0; index < count; index++) {
    const buffer = memory.read(slot, index);
    if (buffer === undefined) return undefined;
    if (buffer.data.byteLength > 0) tokens.push({ type: SECBUFFER_TOKEN, data: buffer.data });
  }
  return tokens;
}
