/** AcceptSecurityContext and what follows from it. */
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

/** Providers align and pad inside the room for a token; never give less than this. */
const LEAST_TOKEN_BYTES = 4096;

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

  /** The first leg. */
  static begin(provider: Provider, credential: SharedCredential, call: AcceptCall): Promise<AcceptReply> {
    return leg(provider, credential, undefined, call, (memory, status) => {
      if (!leavesContext(status) || !isHandle(memory.handle)) {
        // A library may have begun a context before it failed: that one is ours to delete.
        if (isHandle(memory.handle)) new NativeHandle(provider.library, 'contexts', memory.handle)[Symbol.dispose]();
        return { status: refusal(status) };
      }
      const handle = new NativeHandle(provider.library, 'contexts', memory.handle);
      const context = new Secur32Context(provider, credential, handle);
      return context.#settle(memory, status).then(
        (reply) => (leavesContext(reply.status) ? { ...reply, context } : context.#discard(reply)),
        (error: unknown) => {
          context.delete();
          throw error;
        },
      );
    });
  }

  /** A later leg. */
  accept(call: AcceptCall): Promise<AcceptReply> {
    return leg(this.#provider, this.#credential, this.#handle, call, (memory, status) => {
      if (!leavesContext(status)) return { status: refusal(status) };
      this.#handle.replace(memory.handle);
      return this.#settle(memory, status);
    });
  }

  /** CompleteAuthToken: whatever AcceptSecurityContext said before, this is the result. */
  async completeAuthToken(token: readonly SecBuffer[]): Promise<AcceptReply> {
    const { CompleteAuthToken } = this.#provider.library.security;
    const memory = takeCallMemory(bytesOf(token));
    try {
      const descriptor = memory.describe(0, token);
      const status = (await this.#provider.call(CompleteAuthToken, this.#handle.address, descriptor)) >>> 0;
      if (status !== Status.SEC_E_OK) return { status: refusal(status) };
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
    // A library that does not say which package ran: then it was the one that was asked. For Negotiate that stays open,
    // and a policy that wants a certain package is not met.
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

  /** To impersonate, Windows needs the context for as long as its client sends requests. */
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

  /** What a leg that left a context answers. */
  async #settle(memory: CallMemory, status: number): Promise<AcceptReply> {
    const output = readTokens(memory, 1, 1);
    // It wrote past its room, or says so: nothing of this call is to be believed.
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

/** The statuses of AcceptSecurityContext that leave a context of Negotiate, Kerberos or NTLM (attack G07). */
function leavesContext(status: number): boolean {
  return Status.keepsContext(status) && status !== Status.SEC_E_INCOMPLETE_MESSAGE;
}

/** What to answer for a failure: unknown codes that look like success included, and without a context to go on with. */
function refusal(status: number): number {
  if (status === Status.SEC_E_INCOMPLETE_MESSAGE) return Status.SEC_E_INVALID_TOKEN;
  return leavesContext(status) ? Status.SEC_E_INTERNAL_ERROR : status;
}

/**
 * One AcceptSecurityContext.
 *
 * @param context undefined on the first leg
 * @param settle reads the answer out of the call's memory, which is wiped when its promise is settled
 */
async function leg(
  provider: Provider,
  credential: SharedCredential,
  context: NativeHandle | undefined,
  call: AcceptCall,
  settle: (memory: CallMemory, status: number) => AcceptReply | Promise<AcceptReply>,
): Promise<AcceptReply> {
  const token = findBuffer(call.input, SECBUFFER_TOKEN);
  if (token === undefined || token.data.byteLength === 0) return { status: Status.SEC_E_INVALID_TOKEN };
  const room = Math.max(provider.info.maxToken, LEAST_TOKEN_BYTES);
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
    return await settle(memory, status >>> 0);
  } finally {
    giveBackCallMemory(memory);
  }
}

function bytesOf(buffers: readonly SecBuffer[]): number {
  return buffers.reduce((sum, { data }) => sum + data.byteLength, 0);
}

/**
 * The first `count` buffers of a descriptor that hold something, as tokens: that is what was asked for, whatever type the
 * library leaves there (Wine's NTLM leaves SECBUFFER_DATA). Undefined where one cannot be believed.
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
