/**
 * The acceptor's part of SPNEGO (RFC 4178 sections 3 to 5, MS-SPNG 3.2). It chooses a mechanism from the client's list,
 * runs the inner package, and exchanges the mechListMIC, which proves that the list was not changed.
 *
 * A MIC is required in two cases (RFC 4178 section 5):
 * - The client sent one. It must verify, and it is answered with a MIC.
 * - The mechanism is not the client's first choice, and it has integrity, so that it can make a MIC.
 *
 * The side that sends the last mechanism token sends its MIC with it.
 */
import { MalformedTokenError } from '../../foundation/errors.ts';
import {
  decodeNegotiationToken,
  encodeNegTokenResp,
  NEG_STATE_ACCEPT_COMPLETED,
  NEG_STATE_ACCEPT_INCOMPLETE,
  NEG_STATE_REJECT,
  NEG_STATE_REQUEST_MIC,
} from '../../formats/spnego.ts';
import type { InitialToken, NegTokenInit, NegTokenResp, NegTokenRespFields } from '../../formats/spnego.ts';
import { reason } from '../../identity/reasons/reason.ts';
import {
  ASC_REQ_EXTENDED_ERROR,
  ASC_RET_INTEGRITY,
  findBuffer,
  SECBUFFER_DATA,
  SECBUFFER_TOKEN,
  SECBUFFER_TYPE_MASK,
} from '../../sspi/index.ts';
import type { AcceptCall, AcceptReply, Diagnosis, SecBuffer } from '../../sspi/index.ts';
import { SEC_E_INTERNAL_ERROR, SEC_E_INVALID_TOKEN, SEC_E_OK, SEC_I_CONTINUE_NEEDED } from '../../sspi/status.ts';
import type { InnerCredential } from './auth-data.ts';
import { firstTokenOf, mechanismName, mechanismOf } from './mechanisms.ts';
import { innerStatus, NegotiatedContext, whenAnswered } from './negotiated-context.ts';
import { unmatched } from './unmatched-mechanisms.ts';

const noBuffers: readonly SecBuffer[] = Object.freeze([]);

/** How far the negotiation has come. */
type SpnegoState =
  /** The mechanism is running, or starts with the next token. */
  | { readonly at: 'mechanism' }
  /** The mechanism is done and our MIC was sent; the client's MIC must follow. */
  | { readonly at: 'mechListMIC'; readonly finished: AcceptReply }
  | { readonly at: 'established' }
  | { readonly at: 'refused' };

/** The chosen mechanism, and how the client's list names it. */
interface Choice {
  readonly running: InnerCredential;
  /** The object identifier on the client's list, which is sent back as supportedMech (MS-SPNG 3.2.5). */
  readonly oid: string;
  /** Whether it is the first mechanism on the list. */
  readonly isFirst: boolean;
}

function choose(mechTypes: readonly string[], credentials: readonly InnerCredential[]): Choice | undefined {
  let isFirst = true;
  for (const oid of mechTypes) {
    const mechanism = mechanismOf(oid);
    for (const running of credentials) if (running.mechanism === mechanism) return { running, oid, isFirst };
    isFirst = false;
  }
  return undefined;
}

/**
 * First leg of a SPNEGO handshake.
 *
 * @param initial the client's token without its frame
 */
export function acceptSpnego(
  credentials: readonly InnerCredential[],
  initial: InitialToken,
  call: AcceptCall,
): AcceptReply | Promise<AcceptReply> {
  const init = decodeIfValid(initial.innerToken);
  if (init?.type !== 'NegTokenInit') return { status: SEC_E_INVALID_TOKEN };
  const choice = choose(init.mechTypes, credentials);
  if (choice === undefined) {
    return rejected(call, SEC_E_INVALID_TOKEN, unmatched(init.mechTypes.map(mechanismName), credentials));
  }
  const context = new SpnegoContext(choice, init.mechTypesBytes);
  const answer = context.acceptFirst(init, call);
  // The caller may reuse its buffers as soon as this returns.
  context.keepMechTypes();
  return whenAnswered(answer, (reply) => {
    const { status, output, attributes, expiry } = reply;
    if (status === SEC_E_OK || status === SEC_I_CONTINUE_NEEDED) return { status, context, output, attributes, expiry };
    context.delete();
    return reply;
  });
}

class SpnegoContext extends NegotiatedContext {
  readonly #choice: Choice;
  /** MechTypeList exactly as received. The MICs cover these bytes. */
  #mechTypes: Uint8Array;
  #state: SpnegoState = { at: 'mechanism' };
  #firstReply = true;

  constructor(choice: Choice, mechTypes: Uint8Array) {
    super(choice.running);
    this.#choice = choice;
    this.#mechTypes = mechTypes;
  }

  override get heldBytes(): number | undefined {
    const inner = super.heldBytes;
    return inner === undefined ? undefined : inner + this.#mechTypes.byteLength;
  }

  /** Copies the bytes that a later MIC covers. Most negotiations end with the first leg and need no copy. */
  keepMechTypes(): void {
    if (this.#state.at !== 'established') this.#mechTypes = Uint8Array.from(this.#mechTypes);
  }

  acceptFirst(init: NegTokenInit, call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const { running, isFirst } = this.#choice;
    // The optimistic token is for the first mechanism on the list. For another one the client sends a new token, after
    // the reply has named it.
    if (!isFirst) return this.#continue({ negState: NEG_STATE_REQUEST_MIC });
    const { mechToken, mechListMic } = init;
    if (mechToken === undefined) {
      return mechListMic === undefined ? this.#continue({}) : this.#refuse(call, SEC_E_INVALID_TOKEN);
    }
    const { kind } = firstTokenOf(mechToken);
    if (kind === running.mechanism) return this.#run(mechToken, mechListMic, call);
    // A token of another mechanism than the list names is ignored (attack B10). Unknown bytes and SPNEGO are refused.
    return kind === 'Kerberos' || kind === 'NTLM' ? this.#continue({}) : this.#refuse(call, SEC_E_INVALID_TOKEN);
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const state = this.#state;
    const response = decodeIfValid(findBuffer(call.input, SECBUFFER_TOKEN)?.data);
    if (response?.type !== 'NegTokenResp') return this.#refuse(call, SEC_E_INVALID_TOKEN);
    if (!this.#mayContinue(response)) return this.#refuse(call, SEC_E_INVALID_TOKEN);
    // An empty OCTET STRING counts as no token.
    const token = response.responseToken?.byteLength === 0 ? undefined : response.responseToken;
    switch (state.at) {
      case 'mechanism':
        if (token === undefined) return this.#refuse(call, SEC_E_INVALID_TOKEN);
        if (this.inner === undefined && firstTokenOf(token).kind !== this.running.mechanism) {
          return this.#refuse(call, SEC_E_INVALID_TOKEN);
        }
        return this.#run(token, response.mechListMic, call);
      case 'mechListMIC':
        if (token !== undefined || response.mechListMic === undefined) return this.#refuse(call, SEC_E_INVALID_TOKEN);
        return this.#lastMic(call, response.mechListMic, state.finished);
      case 'established':
      case 'refused':
        return this.#refuse(call, SEC_E_INVALID_TOKEN);
    }
  }

  /** Whether the client neither rejects nor names another mechanism than the one that runs (attack B07). */
  #mayContinue({ negState, supportedMech }: NegTokenResp): boolean {
    return negState !== NEG_STATE_REJECT && (supportedMech === undefined || supportedMech === this.#choice.oid);
  }

  /** Runs the inner package with its token in place of the SPNEGO token. All other buffers are passed on. */
  #run(token: Uint8Array, mic: Uint8Array | undefined, call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const input = call.input.map((buffer) =>
      (buffer.type & SECBUFFER_TYPE_MASK) === SECBUFFER_TOKEN ? { type: buffer.type, data: token } : buffer,
    );
    const { requirements, targetDataRep } = call;
    const innerCall: AcceptCall = { input, requirements, targetDataRep };
    const answer = this.inner === undefined ? this.running.credential.accept(innerCall) : this.inner.accept(innerCall);
    // The caller may reuse its buffers while an asynchronous package is running.
    const kept = mic !== undefined && answer instanceof Promise ? Uint8Array.from(mic) : mic;
    return whenAnswered(answer, (reply) => this.#conclude(call, reply, kept));
  }

  #conclude(call: AcceptCall, reply: AcceptReply, mic: Uint8Array | undefined): AcceptReply {
    // Kept whatever the status is, so that it is deleted with this context.
    this.inner ??= reply.context;
    const token = outputToken(reply);
    const status = innerStatus(reply);
    if (status !== SEC_E_OK && status !== SEC_I_CONTINUE_NEEDED)
      return this.#refuse(call, status, reply.diagnosis, token);
    if (this.inner === undefined) return this.#refuse(call, SEC_E_INTERNAL_ERROR);
    if (status === SEC_I_CONTINUE_NEEDED) {
      // The mechanism has no key yet, so this MIC cannot be right.
      return mic === undefined ? this.#continue({ responseToken: token }) : this.#refuse(call, SEC_E_INVALID_TOKEN);
    }
    try {
      return this.#finish(call, reply, token, mic);
    } catch {
      return this.#refuse(call, SEC_E_INTERNAL_ERROR);
    }
  }

  /** The mechanism is done. Verifies and makes the MICs that are required. */
  #finish(
    call: AcceptCall,
    reply: AcceptReply,
    token: Uint8Array | undefined,
    mic: Uint8Array | undefined,
  ): AcceptReply {
    const { attributes, expiry, output = [] } = reply;
    // Buffers that are not tokens, such as SECBUFFER_CHANNEL_BINDINGS_RESULT, are for the caller, with the last status.
    const others = output.length < 2 && token !== undefined ? noBuffers : output.filter(isNotToken);
    const finished: AcceptReply = { status: SEC_E_OK, attributes, expiry, output: others };
    const integrity = ((attributes ?? 0) & ASC_RET_INTEGRITY) !== 0;
    const required = integrity && !this.#choice.isFirst;
    if (mic === undefined && !required) {
      return this.#establish(finished, { negState: NEG_STATE_ACCEPT_COMPLETED, responseToken: token });
    }
    // A required MIC is missing (attack B05), or a MIC does not verify (attack B04).
    if (mic === undefined && token === undefined) return this.#refuse(call, SEC_E_INVALID_TOKEN, micMissing);
    if (mic !== undefined && !this.#verifies(mic)) return this.#refuse(call, SEC_E_INVALID_TOKEN, micWrong);
    const own = this.#makeMic();
    if (own === undefined) return this.#refuse(call, SEC_E_INTERNAL_ERROR);
    this.inner?.resetMessageState?.();
    if (mic !== undefined) {
      const fields = { negState: NEG_STATE_ACCEPT_COMPLETED, responseToken: token, mechListMic: own };
      return this.#establish(finished, fields);
    }
    this.#state = { at: 'mechListMIC', finished };
    return this.#continue({ responseToken: token, mechListMic: own });
  }

  /** The client's MIC, after ours. The negotiation ends here, without another token. */
  #lastMic(call: AcceptCall, mic: Uint8Array, finished: AcceptReply): AcceptReply {
    if (!this.#verifies(mic)) return this.#refuse(call, SEC_E_INVALID_TOKEN, micWrong);
    this.inner?.resetMessageState?.();
    this.#state = { at: 'established' };
    return finished;
  }

  #verifies(mic: Uint8Array): boolean {
    const message = [
      { type: SECBUFFER_DATA, data: this.#mechTypes },
      { type: SECBUFFER_TOKEN, data: mic },
    ];
    return this.verifySignature(message, undefined).status >>> 0 === SEC_E_OK;
  }

  #makeMic(): Uint8Array | undefined {
    const { status, value } = this.makeSignature([{ type: SECBUFFER_DATA, data: this.#mechTypes }], undefined);
    return status >>> 0 === SEC_E_OK && value !== undefined ? findBuffer(value, SECBUFFER_TOKEN)?.data : undefined;
  }

  #continue(fields: NegTokenRespFields): AcceptReply {
    return {
      status: SEC_I_CONTINUE_NEEDED,
      output: this.#output({ negState: NEG_STATE_ACCEPT_INCOMPLETE, ...fields }),
    };
  }

  #establish(finished: AcceptReply, fields: NegTokenRespFields): AcceptReply {
    this.#state = { at: 'established' };
    const { status, attributes, expiry, output: others = noBuffers } = finished;
    const sent = this.#output(fields);
    return { status, attributes, expiry, output: others.length === 0 ? sent : [...sent, ...others] };
  }

  /** supportedMech is sent once, with the first reply (RFC 4178 section 4.2.2). */
  #output(fields: NegTokenRespFields): readonly SecBuffer[] {
    const supportedMech = this.#firstReply ? this.#choice.oid : undefined;
    this.#firstReply = false;
    const { negState, responseToken, mechListMic } = fields;
    const data = encodeNegTokenResp({ negState, supportedMech, responseToken, mechListMic });
    return [{ type: SECBUFFER_TOKEN, data }];
  }

  #refuse(call: AcceptCall, status: number, diagnosis?: Diagnosis, token?: Uint8Array): AcceptReply {
    this.#state = { at: 'refused' };
    return rejected(call, status, { ...diagnosis, package: this.running.package.info.name }, token);
  }
}

function isNotToken({ type }: SecBuffer): boolean {
  return (type & SECBUFFER_TYPE_MASK) !== SECBUFFER_TOKEN;
}

const micMissing: Diagnosis = { text: reason('mic-missing') };
const micWrong: Diagnosis = { text: reason('mic-wrong') };

/**
 * Refuses the negotiation. With ASC_REQ_EXTENDED_ERROR the client gets a NegTokenResp with negState reject.
 *
 * @param responseToken error token of the inner package, for that NegTokenResp
 */
function rejected(call: AcceptCall, status: number, diagnosis?: Diagnosis, responseToken?: Uint8Array): AcceptReply {
  if ((call.requirements & ASC_REQ_EXTENDED_ERROR) === 0) return { status, diagnosis };
  const data = encodeNegTokenResp({ negState: NEG_STATE_REJECT, responseToken });
  return { status, output: [{ type: SECBUFFER_TOKEN, data }], diagnosis };
}

/** Decodes a token; undefined if there is none or it is malformed. */
function decodeIfValid(token: Uint8Array | undefined): NegTokenInit | NegTokenResp | undefined {
  try {
    return token === undefined ? undefined : decodeNegotiationToken(token);
  } catch (error) {
    if (error instanceof MalformedTokenError) return undefined;
    throw error;
  }
}

function outputToken(reply: AcceptReply): Uint8Array | undefined {
  const data = findBuffer(reply.output ?? [], SECBUFFER_TOKEN)?.data;
  return data === undefined || data.byteLength === 0 ? undefined : data;
}
