/** An established Kerberos context: its attributes and message protection. */
import { rotateWrapToken } from '../../formats/kerberos/wrap-token.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { answerKerberosAttribute } from '../../kerberos/context-attributes.ts';
import type { KerberosFacts } from '../../kerberos/context-attributes.ts';
import { joined, sealedBuffers, signedBuffers } from '../../kerberos/message-buffers.ts';
import { SECPKG_ATTR_SIZES } from '../../sspi/attributes.ts';
import type { ContextAttribute, ContextAttributeValues } from '../../sspi/attributes.ts';
import { findBuffer, SECBUFFER_DATA, SECBUFFER_STREAM, SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { AcceptReply, Answer, PackageContext } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import type { DelegatedCache } from '../../kerberos/delegation/delegated-caches.ts';
import type { Frame } from './call/frame.ts';
import { GSS_C_CONF_FLAG, GSS_C_INTEG_FLAG, GSS_S_COMPLETE, messageStatus } from './call/gss-status.ts';
import type { GssapiExtensions } from './call/extensions.ts';
import { sessionKey } from './call/session-key.ts';

/** The data of a context, from the call that accepted it. */
export interface EstablishedKerberos extends KerberosFacts {
  /** gss_ctx_id_t. */
  readonly handle: bigint;
  /** GSS_C_* bits. */
  readonly flags: number;
  readonly delegated: DelegatedCache | undefined;
}

type AnswerOf<A extends ContextAttribute> = Answer<ContextAttributeValues[A]>;

const ok = <T>(value: T): Answer<T> => ({ status: Status.SEC_E_OK, value });
const failed = (status: number): { readonly status: number } => ({ status });

export class KerberosContext implements PackageContext {
  readonly #frame: Frame;
  readonly #extensions: GssapiExtensions;
  readonly #established: EstablishedKerberos;

  /** @param frame frame for calls on the JavaScript thread. Contexts share it, because such calls never overlap */
  constructor(frame: Frame, extensions: GssapiExtensions, established: EstablishedKerberos) {
    this.#frame = frame;
    this.#extensions = extensions;
    this.#established = established;
  }

  get keepAfterHandshake(): boolean {
    return this.#established.delegated !== undefined;
  }

  get delegatedCredentials(): DelegatedCache | undefined {
    return this.#established.delegated;
  }

  /** Refuses any further token: Kerberos has one leg only. */
  accept(): AcceptReply {
    return {
      status: Status.SEC_E_INVALID_TOKEN,
      diagnosis: { text: reason('kerberos-token-late') },
    };
  }

  queryToken(): Answer<SecurityContextToken> {
    return ok(this.#established.token);
  }

  queryAttribute<A extends ContextAttribute>(attribute: A): AnswerOf<A> {
    const established = this.#established;
    const { handle } = established;
    // Asked only where the answer depends on it.
    const messageType =
      attribute === SECPKG_ATTR_SIZES ? this.#extensions.messageKeyType(this.#frame, handle) : undefined;
    const facts = messageType === undefined ? established : { ...established, encryptionType: messageType };
    return answerKerberosAttribute(facts, attribute, () => sessionKey(this.#frame, handle));
  }

  /** GSS_GetMIC over the DATA buffers. */
  makeSignature(message: readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    if (!this.#has(GSS_C_INTEG_FLAG)) return failed(Status.SEC_E_QOP_NOT_SUPPORTED);
    const frame = this.#frame;
    const data = joined(message, signedBuffers);
    frame.clear();
    frame.setInput(data);
    const { gss } = frame.library;
    const major = gss.getMic(frame.minor, this.#established.handle, 0, frame.input, frame.output);
    return this.#output(major, (token) => [{ type: SECBUFFER_TOKEN, data: token }]);
  }

  /** GSS_VerifyMIC of the TOKEN buffer over the DATA buffers. */
  verifySignature(message: readonly SecBuffer[]): Answer<number> {
    const token = findBuffer(message, SECBUFFER_TOKEN);
    if (token === undefined || token.data.byteLength === 0) return failed(Status.SEC_E_INVALID_TOKEN);
    if (!this.#has(GSS_C_INTEG_FLAG)) return failed(Status.SEC_E_QOP_NOT_SUPPORTED);
    const frame = this.#frame;
    const data = joined(message, signedBuffers);
    frame.clear();
    frame.setInput(data);
    frame.setValue(token.data);
    const { gss } = frame.library;
    const major = gss.verifyMic(frame.minor, this.#established.handle, frame.input, frame.value, null);
    const status = messageStatus(major);
    return status === Status.SEC_E_OK ? ok(0) : failed(status);
  }

  /**
   * GSS_Wrap with confidentiality. The wrap token is split into two buffers, as Windows splits it. DATA has its last
   * bytes, as many as the message has; TOKEN has the bytes before them. Sent one after the other, they are the input of
   * GSS_Unwrap.
   */
  encryptMessage(message: readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    if (!this.#has(GSS_C_CONF_FLAG)) return failed(Status.SEC_E_QOP_NOT_SUPPORTED);
    const frame = this.#frame;
    const data = joined(message, sealedBuffers);
    frame.clear();
    frame.setInput(data);
    const { gss } = frame.library;
    const { handle } = this.#established;
    const major = gss.wrap(frame.minor, handle, 1, 0, frame.input, frame.numberA, frame.output);
    // conf_state tells whether the message was really encrypted.
    if (major === GSS_S_COMPLETE && frame.numberAValue === 0) {
      frame.takeOutput();
      return failed(Status.SEC_E_QOP_NOT_SUPPORTED);
    }
    return this.#output(major, (wrapped) => {
      const token = rotateWrapToken(wrapped, data.byteLength);
      const split = token.byteLength - data.byteLength;
      return [
        { type: SECBUFFER_TOKEN, data: token.subarray(0, split) },
        { type: SECBUFFER_DATA, data: token.subarray(split) },
      ];
    });
  }

  /** GSS_Unwrap of TOKEN and DATA, or of one STREAM buffer. A message that was not encrypted is refused. */
  decryptMessage(message: readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    if (!this.#has(GSS_C_CONF_FLAG)) return failed(Status.SEC_E_QOP_NOT_SUPPORTED);
    const frame = this.#frame;
    const stream = findBuffer(message, SECBUFFER_STREAM)?.data;
    const sealed = stream ?? joined(message, (type) => type === SECBUFFER_TOKEN || type === SECBUFFER_DATA);
    if (sealed.byteLength === 0) return failed(Status.SEC_E_INVALID_TOKEN);
    frame.clear();
    frame.setInput(sealed);
    const { gss } = frame.library;
    const { handle } = this.#established;
    const major = gss.unwrap(frame.minor, handle, frame.input, frame.output, frame.numberA, null);
    if (major === GSS_S_COMPLETE && frame.numberAValue === 0) {
      frame.takeOutput();
      return failed(Status.SEC_E_MESSAGE_ALTERED);
    }
    return this.#output(major, (data) => [{ type: SECBUFFER_DATA, data }]);
  }

  #has(flag: number): boolean {
    return (this.#established.flags & flag) !== 0;
  }

  #output(major: number, buffers: (output: Buffer) => readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    const output = this.#frame.takeOutput() ?? Buffer.alloc(0);
    const status = messageStatus(major);
    return status === Status.SEC_E_OK ? ok(buffers(output)) : failed(status);
  }

  delete(): void {
    const frame = this.#frame;
    frame.contextHandle = this.#established.handle;
    frame.library.gss.deleteSecContext(frame.minor, frame.context, null);
    this.#established.delegated?.destroy();
  }
}
