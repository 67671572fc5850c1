/** A CredSSP context: the legs of its handshake, then messages, which are those of TLS. */
import { encodeTsRequest } from '../../formats/credssp/ts-request.ts';
import type { TsRequest } from '../../formats/credssp/ts-request.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';
import { reason } from '../../identity/reasons/reason.ts';
import type {
  ContextAttribute,
  ContextAttributeValues,
  SettableContextAttribute,
  SettableContextAttributeValues,
} from '../../sspi/attributes.ts';
import { findBuffer, SECBUFFER_EXTRA, SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import * as Requirement from '../../sspi/requirements.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type {
  AcceptCall,
  AcceptReply,
  Answer,
  ClaimedAccount,
  DelegatedPassword,
  Diagnosis,
  MessageAnswer,
  PackageContext,
  PackageCredential,
} from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { answerAttribute } from './credssp-attributes.ts';
import type { CredSspSettings } from './credssp-auth-data.ts';
import { CredSspExchange } from './credssp-exchange.ts';
import type { Step } from './credssp-exchange.ts';
import { TlsChannel } from './tls-channel.ts';

const noContext = Object.freeze({ status: Status.SEC_E_INVALID_HANDLE });
const unsupported = Object.freeze({ status: Status.SEC_E_UNSUPPORTED_FUNCTION });

/** The credentials of the packages inside. */
export interface InnerCredentials {
  readonly schannel: PackageCredential;
  readonly negotiate: PackageCredential;
}

export class CredSspContext implements PackageContext {
  readonly #channel: TlsChannel;
  readonly #exchange: CredSspExchange;
  /** ASC_RET_* bits of the established context. */
  #attributes: number | undefined;

  constructor(settings: CredSspSettings, { schannel, negotiate }: InnerCredentials) {
    this.#channel = new TlsChannel(schannel);
    this.#exchange = new CredSspExchange(settings, negotiate);
  }

  /** Its messages are those of WinRM and RDP. */
  readonly keepAfterHandshake = true;

  get heldBytes(): number | undefined {
    const [tls, inner] = [this.#channel.heldBytes, this.#exchange.heldBytes];
    return tls === undefined || inner === undefined ? undefined : tls + inner;
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    // The caller may change its buffer while this waits.
    const bytes = Uint8Array.from(findBuffer(call.input, SECBUFFER_TOKEN)?.data ?? []);
    return this.#established ? this.#close(bytes, call) : this.#leg(bytes, call);
  }

  get #established(): boolean {
    return this.#attributes !== undefined;
  }

  /** After applyControlToken: the alert that closes TLS. Anything else Schannel refuses. */
  async #close(bytes: Uint8Array, call: AcceptCall): Promise<AcceptReply> {
    const reply = await this.#channel.handshake(bytes, call);
    return { ...reply, context: undefined, attributes: this.#attributes, expiry: this.#exchange.verified?.expiry };
  }

  async #leg(bytes: Uint8Array, call: AcceptCall): Promise<AcceptReply> {
    const output: Uint8Array[] = [];
    let rest = bytes;
    if (!this.#channel.secure) {
      const reply = await this.#channel.handshake(bytes, call);
      const status = reply.status >>> 0;
      if (status !== Status.SEC_E_OK && status !== Status.SEC_I_CONTINUE_NEEDED)
        return { ...reply, context: undefined };
      const token = findBuffer(reply.output ?? [], SECBUFFER_TOKEN)?.data;
      if (token !== undefined) output.push(token);
      rest = findBuffer(reply.output ?? [], SECBUFFER_EXTRA)?.data ?? new Uint8Array(0);
      if (status !== Status.SEC_E_OK || rest.byteLength === 0) {
        return { status: Status.SEC_I_CONTINUE_NEEDED, output: buffers(output, rest) };
      }
    }
    return await this.#read(rest, output, rest.byteLength < bytes.byteLength, call);
  }

  /** @param begun something of the input was consumed */
  async #read(bytes: Uint8Array, output: Uint8Array[], begun: boolean, call: AcceptCall): Promise<AcceptReply> {
    const told = (call.requirements & Requirement.ASC_REQ_EXTENDED_ERROR) !== 0;
    let step: Step;
    let rest = bytes;
    try {
      const read = await this.#channel.read(bytes);
      ({ rest } = read);
      output.push(...read.output);
      if (read.status === Status.SEC_E_INCOMPLETE_MESSAGE) {
        // Nothing consumed: the same bytes come again. Else only the rest does, and the client owes more.
        const { missing } = read;
        if (!begun && rest.byteLength === bytes.byteLength) return { status: read.status, missing };
        return { status: Status.SEC_I_CONTINUE_NEEDED, output: buffers(output, rest) };
      }
      if (read.request === undefined) {
        const diagnosis = { text: reason('credssp-tls', { status: Status.statusName(read.status) }) };
        return { status: read.status, output: told ? tokens(output) : [], diagnosis };
      }
      step = await this.#take(read.request, call);
    } catch (error) {
      if (!(error instanceof MalformedTokenError)) throw error;
      const diagnosis = { text: reason('credssp-not-a-message', { detail: error.message }) };
      step = { status: Status.SEC_E_INVALID_TOKEN, answer: this.#exchange.errorAnswer(), diagnosis };
    }
    if (step.status === Status.SEC_I_CONTINUE_NEEDED) {
      if (step.answer === undefined || !(await this.#send(step.answer, output))) return broken;
      return { status: step.status, output: buffers(output, rest) };
    }
    if (step.status === Status.SEC_E_OK) return this.#establish(output, rest, call);
    if (told && step.answer !== undefined) await this.#send(step.answer, output);
    return { status: step.status, output: told ? tokens(output) : [], diagnosis: step.diagnosis };
  }

  async #take(request: Buffer, call: AcceptCall): Promise<Step> {
    const publicKey = this.#channel.publicKey();
    if (publicKey === undefined) return broken;
    return await this.#exchange.take(request, publicKey, call);
  }

  async #send(answer: TsRequest, output: Uint8Array[]): Promise<boolean> {
    const records = await this.#channel.seal(encodeTsRequest(answer));
    output.push(...(records ?? []));
    return records !== undefined;
  }

  #establish(output: readonly Uint8Array[], rest: Uint8Array, { requirements }: AcceptCall): AcceptReply {
    const { verified } = this.#exchange;
    if (verified === undefined) return broken;
    const asked = requirements & (Requirement.ASC_REQ_CONNECTION | Requirement.ASC_REQ_EXTENDED_ERROR);
    const delegated = verified.delegated === undefined ? 0 : Requirement.ASC_RET_DELEGATE;
    this.#attributes = (ALWAYS | asked | delegated | (verified.attributes & OF_NEGOTIATE)) >>> 0;
    const token = output.some(({ byteLength }) => byteLength > 0) ? tokens(output) : [];
    return {
      status: Status.SEC_E_OK,
      output: [...token, ...extra(rest)],
      attributes: this.#attributes,
      expiry: verified.expiry,
    };
  }

  get #negotiated(): PackageContext | undefined {
    return this.#established ? this.#exchange.verified?.context : undefined;
  }

  get delegatedCredentials(): DelegatedPassword | undefined {
    return this.#established ? this.#exchange.verified?.delegated : undefined;
  }

  get claimedAccount(): ClaimedAccount | undefined {
    return this.#negotiated?.claimedAccount;
  }

  queryAttribute<A extends ContextAttribute>(attribute: A): Answer<ContextAttributeValues[A]> {
    const [tls, negotiated, attributes] = [this.#channel.context, this.#negotiated, this.#attributes];
    if (tls === undefined || negotiated === undefined || attributes === undefined) return noContext;
    return answerAttribute({ tls, negotiated, attributes }, attribute);
  }

  setAttribute<A extends SettableContextAttribute>(attribute: A, value: SettableContextAttributeValues[A]): number {
    return this.#channel.context?.setAttribute?.(attribute, value) ?? Status.SEC_E_UNSUPPORTED_FUNCTION;
  }

  queryToken(): Answer<SecurityContextToken> {
    return this.#negotiated?.queryToken() ?? noContext;
  }

  impersonate(): number {
    return this.#negotiated?.impersonate?.() ?? Status.SEC_E_UNSUPPORTED_FUNCTION;
  }

  revert(): number {
    return this.#negotiated?.revert?.() ?? Status.SEC_E_UNSUPPORTED_FUNCTION;
  }

  applyControlToken(input: readonly SecBuffer[]): number {
    // Before the context stands there is nothing that could be closed in a way that the client can verify.
    if (!this.#established) return Status.SEC_E_UNSUPPORTED_FUNCTION;
    return this.#channel.context?.applyControlToken?.(input) ?? Status.SEC_E_UNSUPPORTED_FUNCTION;
  }

  encryptMessage(message: readonly SecBuffer[], sequence: number | undefined): MessageAnswer | Promise<MessageAnswer> {
    return this.#channel.context?.encryptMessage?.(message, sequence) ?? unsupported;
  }

  decryptMessage(message: readonly SecBuffer[], sequence: number | undefined): MessageAnswer | Promise<MessageAnswer> {
    return this.#channel.context?.decryptMessage?.(message, sequence) ?? unsupported;
  }

  delete(): void {
    this.#exchange.delete();
    this.#channel.delete();
  }
}

/** TLS cannot be without these. */
const ALWAYS =
  Requirement.ASC_RET_CONFIDENTIALITY |
  Requirement.ASC_RET_INTEGRITY |
  Requirement.ASC_RET_REPLAY_DETECT |
  Requirement.ASC_RET_SEQUENCE_DETECT |
  Requirement.ASC_RET_STREAM;

/** What the context of Negotiate says about the client. */
const OF_NEGOTIATE = Requirement.ASC_RET_MUTUAL_AUTH | Requirement.ASC_RET_IDENTIFY | Requirement.ASC_RET_NULL_SESSION;

const broken: { readonly status: number; readonly diagnosis: Diagnosis } = Object.freeze({
  status: Status.SEC_E_INTERNAL_ERROR,
  diagnosis: { text: reason('credssp-broken') },
});

function extra(rest: Uint8Array): readonly SecBuffer[] {
  return rest.byteLength === 0 ? [] : [{ type: SECBUFFER_EXTRA, data: rest }];
}

function tokens(output: readonly Uint8Array[]): readonly SecBuffer[] {
  return [{ type: SECBUFFER_TOKEN, data: Buffer.concat(output) }];
}

/** A TOKEN, perhaps of no bytes, and what was not consumed. */
function buffers(output: readonly Uint8Array[], rest: Uint8Array): readonly SecBuffer[] {
  return [...tokens(output), ...extra(rest)];
}
