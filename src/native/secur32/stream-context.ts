/**
 * A context of Windows' own Schannel or CREDSSP: records in, records out. What of the input was not consumed comes back in
 * a second buffer, SECBUFFER_EXTRA, and how much is missing in SECBUFFER_MISSING.
 */
import { reason } from '../../identity/reasons/reason.ts';
import { SECPKG_ATTR_REMOTE_CERT_CONTEXT } from '../../sspi/attributes.ts';
import type { ContextAttribute, ContextAttributeValues } from '../../sspi/attributes.ts';
import * as Buffers from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import * as Requirement from '../../sspi/requirements.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { AcceptCall, AcceptReply, Answer, MessageAnswer, PackageContext } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { AbandonedCallError } from '../native-calls.ts';
import { queryContextAttribute } from './context-attributes.ts';
import { impersonate } from './impersonation.ts';
import { isHandle, NativeHandle } from './native-handles.ts';
import type { Provider } from './provider.ts';
import { giveBackCallMemory, takeCallMemory } from './security-buffers.ts';
import type { CallMemory } from './security-buffers.ts';
import type { SharedCredential } from './shared-credential.ts';
import { StreamMessages } from './stream-messages.ts';
import { dateOfTimeStamp } from './time-stamp.ts';
import { contextIdentity } from './token-identity.ts';

/** Room for a TLS flight, in bytes: cbMaxToken of Schannel on Windows is less. */
const MIN_TOKEN_BYTES = 32 * 1024;
/** Room for SECBUFFER_ALERT; an alert has two bytes. */
const ALERT_BYTES = 16;
const RECORD_HEADER_BYTES = 5;

/** What the contexts of a credential have in common. */
export interface StreamOwner {
  readonly provider: Provider;
  readonly credential: SharedCredential;
}

/** What a leg was asked for. */
interface LegRequest {
  readonly requirements: number;
  readonly room: number;
  /** It has no input: it makes what ApplyControlToken asked for. */
  readonly control: boolean;
  /** Input that was not consumed. */
  readonly extra: readonly SecBuffer[];
}

export class StreamContext implements PackageContext {
  readonly #owner: StreamOwner;
  readonly #schannel: boolean;
  #handle: NativeHandle | undefined;
  #messages: StreamMessages | undefined;
  #control = false;
  #attributes = 0;
  #expiry: Date | undefined;
  #identity: Answer<SecurityContextToken> = { status: Status.SEC_E_NO_IMPERSONATION };

  private constructor(owner: StreamOwner) {
    this.#owner = owner;
    this.#schannel = owner.provider.info.name === 'Schannel';
    owner.credential.retain();
  }

  /** Runs the first leg. The context is in the reply unless the status is a failure. */
  static async begin(owner: StreamOwner, call: AcceptCall): Promise<AcceptReply> {
    const context = new StreamContext(owner);
    try {
      const reply = await context.accept(call);
      if (Status.keepsContext(reply.status)) return { ...reply, context };
      context.delete();
      return reply;
    } catch (error) {
      context.delete();
      throw error;
    }
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const token = Buffers.findBuffer(call.input, Buffers.SECBUFFER_TOKEN)?.data ?? new Uint8Array(0);
    const control = token.byteLength === 0;
    if (control && !this.#control) return { status: Status.SEC_E_INCOMPLETE_MESSAGE, missing: RECORD_HEADER_BYTES };
    this.#control = false;
    return this.#leg(token, control, call);
  }

  async #leg(token: Uint8Array, control: boolean, call: AcceptCall): Promise<AcceptReply> {
    const { provider, credential } = this.#owner;
    const room = Math.max(provider.info.maxToken, MIN_TOKEN_BYTES);
    const others = call.input.filter(({ type }) => {
      const plain = type & Buffers.SECBUFFER_TYPE_MASK;
      return plain !== Buffers.SECBUFFER_TOKEN && plain !== Buffers.SECBUFFER_EMPTY;
    });
    const otherBytes = others.reduce((sum, { data }) => sum + data.byteLength, 0);
    // TLS is a stream, whether or not the caller says so.
    const requirements = (call.requirements & ~Requirement.ASC_REQ_ALLOCATE_MEMORY) | Requirement.ASC_REQ_STREAM;
    const memory = takeCallMemory(token.byteLength + otherBytes + room + ALERT_BYTES);
    try {
      const input = [
        { type: Buffers.SECBUFFER_TOKEN, data: token },
        { type: Buffers.SECBUFFER_EMPTY, size: 0 },
      ];
      const inputAddress = control ? null : memory.describe(0, [...input, ...others]);
      const output = memory.describe(1, [
        { type: Buffers.SECBUFFER_TOKEN, size: room },
        { type: Buffers.SECBUFFER_ALERT, size: ALERT_BYTES },
      ]);
      if (this.#handle !== undefined) memory.handle.set(this.#handle.value);
      const native = await provider.call(
        { lane: 'general', abandoned: call.abandoned },
        provider.library.security.AcceptSecurityContext,
        credential.handle.address,
        this.#handle?.address ?? null,
        inputAddress,
        requirements >>> 0,
        call.targetDataRep,
        memory.handleAddress,
        output,
        memory.attributesAddress,
        memory.expiryAddress,
      );
      const status = native >>> 0;
      this.#keepHandle(memory);
      const rest = control ? { extra: [] } : restOf(memory, token.byteLength);
      if (rest === undefined) return { status: Status.SEC_E_INTERNAL_ERROR };
      if (status === Status.SEC_E_INCOMPLETE_MESSAGE) return { status, missing: rest.missing };
      return await this.#reply(status, memory, { requirements: call.requirements, room, control, extra: rest.extra });
    } catch (error) {
      if (error instanceof AbandonedCallError) return { status: Status.SEC_E_UNFINISHED_CONTEXT_DELETED };
      throw error;
    } finally {
      giveBackCallMemory(memory);
    }
  }

  /** A library may make a context with any status, or none with the first SEC_E_INCOMPLETE_MESSAGE. */
  #keepHandle(memory: CallMemory): void {
    if (!isHandle(memory.handle)) return;
    if (this.#handle !== undefined) this.#handle.replace(memory.handle);
    else this.#handle = new NativeHandle(this.#owner.provider.library, 'contexts', memory.handle);
  }

  async #reply(status: number, memory: CallMemory, request: LegRequest): Promise<AcceptReply> {
    const token = memory.read(1, 0);
    if (token === undefined) return { status: Status.SEC_E_INTERNAL_ERROR };
    const tokens = [{ type: Buffers.SECBUFFER_TOKEN, data: token.data }];
    if (status === Status.SEC_I_CONTINUE_NEEDED && this.#handle !== undefined) {
      return { status, output: [...tokens, ...request.extra] };
    }
    const sent = token.data.byteLength === 0 ? [] : tokens;
    if (status === Status.SEC_E_OK && this.#handle !== undefined) {
      return await this.#established(this.#handle, memory, request, [...sent, ...request.extra]);
    }
    // What a library leaves as it was is no token.
    const wanted = request.control || (request.requirements & Requirement.ASC_REQ_EXTENDED_ERROR) !== 0;
    const output = [...(wanted && token.data.byteLength < request.room ? sent : []), ...alertOf(memory)];
    // No success without a context, and no call that has to be completed: TLS has none.
    const failed = Status.keepsContext(status) ? Status.SEC_E_INTERNAL_ERROR : status;
    const text = reason('windows-schannel-events', { status: Status.statusName(status) });
    return { status: failed, output, diagnosis: { text } };
  }

  async #established(
    handle: NativeHandle,
    memory: CallMemory,
    { requirements, control }: LegRequest,
    output: readonly SecBuffer[],
  ): Promise<AcceptReply> {
    const { library, names } = this.#owner.provider;
    if (!control) {
      this.#attributes = memory.attributes;
      this.#expiry = dateOfTimeStamp(memory.expiry, library.token);
      if (this.#schannel) {
        // The caller is still to verify it: nothing is proved to be mutual.
        this.#attributes = (this.#attributes & ~Requirement.ASC_RET_MUTUAL_AUTH) >>> 0;
        const mutual = (requirements & Requirement.ASC_REQ_MUTUAL_AUTH) !== 0;
        if (
          mutual &&
          queryContextAttribute(library, handle.address, SECPKG_ATTR_REMOTE_CERT_CONTEXT).value === undefined
        ) {
          return { status: Status.SEC_E_LOGON_DENIED, diagnosis: { text: reason('schannel-no-certificate') } };
        }
      } else {
        this.#identity = await contextIdentity(library, names, handle.address, this.#attributes);
      }
    }
    return { status: Status.SEC_E_OK, output, attributes: this.#attributes, expiry: this.#expiry };
  }

  applyControlToken(input: readonly SecBuffer[]): number {
    const data = Buffers.findBuffer(input, Buffers.SECBUFFER_TOKEN)?.data;
    if (data === undefined || data.byteLength < 4) return Status.SEC_E_INVALID_PARAMETER;
    if (this.#handle === undefined) return Status.SEC_E_INVALID_HANDLE;
    const memory = takeCallMemory(data.byteLength);
    try {
      const descriptor = memory.describe(0, [{ type: Buffers.SECBUFFER_TOKEN, data }]);
      const { ApplyControlToken } = this.#owner.provider.library.security;
      const status = ApplyControlToken(this.#handle.address, descriptor) >>> 0;
      this.#control ||= status === Status.SEC_E_OK;
      return status;
    } finally {
      giveBackCallMemory(memory);
    }
  }

  queryAttribute<A extends ContextAttribute>(attribute: A): Answer<ContextAttributeValues[A]> {
    return this.#handle === undefined
      ? { status: Status.SEC_E_INVALID_HANDLE }
      : queryContextAttribute(this.#owner.provider.library, this.#handle.address, attribute);
  }

  queryToken(): Answer<SecurityContextToken> {
    return this.#identity;
  }

  impersonate(): number {
    if (this.#schannel || this.#handle === undefined) return Status.SEC_E_UNSUPPORTED_FUNCTION;
    return impersonate(this.#owner.provider.library, this.#handle.address);
  }

  revert(): number {
    if (this.#schannel || this.#handle === undefined) return Status.SEC_E_UNSUPPORTED_FUNCTION;
    return this.#owner.provider.library.security.RevertSecurityContext(this.#handle.address) >>> 0;
  }

  encryptMessage(message: readonly SecBuffer[]): MessageAnswer {
    return this.#stream?.encrypt(message) ?? { status: Status.SEC_E_INVALID_HANDLE };
  }

  decryptMessage(message: readonly SecBuffer[]): MessageAnswer {
    return this.#stream?.decrypt(message) ?? { status: Status.SEC_E_INVALID_HANDLE };
  }

  get #stream(): StreamMessages | undefined {
    if (this.#handle === undefined) return undefined;
    return (this.#messages ??= new StreamMessages(this.#owner.provider.library, this.#handle));
  }

  delete(): void {
    this.#handle?.[Symbol.dispose]();
    this.#owner.credential.release();
  }
}

/**
 * What the second input buffer says. Undefined if the library left more than there was.
 *
 * @param length of the token
 */
function restOf(
  memory: CallMemory,
  length: number,
): { readonly extra: readonly SecBuffer[]; readonly missing?: number } | undefined {
  const { type, size } = memory.header(0, 1);
  if (type === Buffers.SECBUFFER_MISSING) return { extra: [], missing: size };
  if (type !== Buffers.SECBUFFER_EXTRA || size === 0) return { extra: [] };
  if (size > length) return undefined;
  const data = memory.input(0, length - size, size);
  return { extra: [{ type: Buffers.SECBUFFER_EXTRA, data }] };
}

/** The alert that the library wrote. A buffer that it left as it was has none. */
function alertOf(memory: CallMemory): readonly SecBuffer[] {
  const { type, size } = memory.header(1, 1);
  if (type !== Buffers.SECBUFFER_ALERT || size < 2 || size === ALERT_BYTES) return [];
  const data = memory.read(1, 1)?.data.subarray(0, 2);
  return data === undefined ? [] : [{ type, data }];
}
