/**
 * The acceptor's half of SPNEGO (RFC 4178 sections 3 to 5, MS-SPNG 3.2): picks a mechanism of the client's list, runs
 * the inner package over it, and exchanges the mechListMIC that proves the list was not tampered with.
 *
 * When a MIC is due (RFC 4178 section 5): always when the client sent one, which must verify and is answered; and where
 * the mechanism is not the client's first choice, unless it has no integrity to make one with. Whoever sends the last
 * mechanism token sends its MIC with it.
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

const noBuffers: readonly SecBuffer[] = Object.freeze([]);

/** How far the negotiation has come. */
type SpnegoState =
  /** The mechanism goes on; with the next token if it has not begun. */
  | { readonly at: 'mechanism' }
  /** The mechanism is done and our MIC is sent; the client's is missing. */
  | { readonly at: 'mechListMIC'; readonly finished: AcceptReply }
  | { readonly at: 'established' }
  | { readonly at: 'refused' };

/** The mechanism that runs, and where it stood on the client's list. */
interface Choice {
  readonly running: InnerCredential;
  /** The identifier the client offered it under, echoed as supportedMech (MS-SPNG 3.2.5). */
  readonly oid: string;
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
  const init = decoded(initial.innerToken);
  if (init?.type !== 'NegTokenInit') return { status: SEC_E_INVALID_TOKEN };
  const choice = choose(init.mechTypes, credentials);
  if (choice === undefined) {
    const have = credentials.map(({ mechanism }) => mechanism).join(' and ');
    const text = `the client offers ${init.mechTypes.map(mechanismName).join(', ')}; this server has ${have}`;
    return rejected(call, SEC_E_INVALID_TOKEN, { text });
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

/** No context: what code compiled for contexts needs to outlive a full collection that finds none (formats/der.ts). */
export function placeholderContext(running: InnerCredential): NegotiatedContext {
  return new SpnegoContext({ running, oid: '', isFirst: true }, new Uint8Array());
}

class SpnegoContext extends NegotiatedContext {
  readonly #choice: Choice;
  /** MechTypeList exactly as received: what the MICs cover. */
  #mechTypes: Uint8Array;
  #state: SpnegoState = { at: 'mechanism' };
  #firstReply = true;

  constructor(choice: Choice, mechTypes: Uint8Array) {
    super(choice.running);
    this.#choice = choice;
    this.#mechTypes = mechTypes;
  }

  /** Copies what a MIC still to come will cover; most negotiations are over before. */
  keepMechTypes(): void {
    if (this.#state.at !== 'established') this.#mechTypes = Uint8Array.from(this.#mechTypes);
  }

  acceptFirst(init: NegTokenInit, call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const { running, isFirst } = this.#choice;
    // The optimistic token is for the first mechanism: for another one the client sends a new token when told which.
    if (!isFirst) return this.#continue({ negState: NEG_STATE_REQUEST_MIC });
    const { mechToken, mechListMic } = init;
    if (mechToken === undefined) {
      return mechListMic === undefined ? this.#continue({}) : this.#refuse(call, SEC_E_INVALID_TOKEN);
    }
    const { kind } = firstTokenOf(mechToken);
    if (kind === running.mechanism) return this.#run(mechToken, mechListMic, call);
    // A token of another mechanism than the list says is discarded (attack B10), rubbish and SPNEGO again are refused.
    return kind === 'Kerberos' || kind === 'NTLM' ? this.#continue({}) : this.#refuse(call, SEC_E_INVALID_TOKEN);
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const state = this.#state;
    const response = decoded(findBuffer(call.input, SECBUFFER_TOKEN)?.data);
    if (response?.type !== 'NegTokenResp') return this.#refuse(call, SEC_E_INVALID_TOKEN);
    if (!this.#mayGoOn(response)) return this.#refuse(call, SEC_E_INVALID_TOKEN);
    // An empty OCTET STRING is no token.
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

  /** The client neither gives up nor names another mechanism than the one that runs (attack B07). */
  #mayGoOn({ negState, supportedMech }: NegTokenResp): boolean {
    return negState !== NEG_STATE_REJECT && (supportedMech === undefined || supportedMech === this.#choice.oid);
  }

  /** Gives the inner package its token, in place of the SPNEGO one; every other buffer goes along. */
  #run(token: Uint8Array, mic: Uint8Array | undefined, call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const input = call.input.map((buffer) =>
      (buffer.type & SECBUFFER_TYPE_MASK) === SECBUFFER_TOKEN ? { type: buffer.type, data: token } : buffer,
    );
    const { requirements, targetDataRep } = call;
    const innerCall: AcceptCall = { input, requirements, targetDataRep };
    const answer = this.inner === undefined ? this.running.credential.accept(innerCall) : this.inner.accept(innerCall);
    // The caller may reuse its buffers while a package that answers later is at it.
    const kept = mic !== undefined && answer instanceof Promise ? Uint8Array.from(mic) : mic;
    return whenAnswered(answer, (reply) => this.#conclude(call, reply, kept));
  }

  #conclude(call: AcceptCall, reply: AcceptReply, mic: Uint8Array | undefined): AcceptReply {
    // Taken over whatever the status is, so that it is deleted with this context.
    this.inner ??= reply.context;
    const token = outputToken(reply);
    const status = innerStatus(reply);
    if (status !== SEC_E_OK && status !== SEC_I_CONTINUE_NEEDED)
      return this.#refuse(call, status, reply.diagnosis, token);
    if (this.inner === undefined) return this.#refuse(call, SEC_E_INTERNAL_ERROR);
    if (status === SEC_I_CONTINUE_NEEDED) {
      // Nothing stands yet that this MIC could have been made with.
      return mic === undefined ? this.#continue({ responseToken: token }) : this.#refuse(call, SEC_E_INVALID_TOKEN);
    }
    try {
      return this.#finish(call, reply, token, mic);
    } catch {
      return this.#refuse(call, SEC_E_INTERNAL_ERROR);
    }
  }

  /** The mechanism is done: is the negotiation? */
  #finish(
    call: AcceptCall,
    reply: AcceptReply,
    token: Uint8Array | undefined,
    mic: Uint8Array | undefined,
  ): AcceptReply {
    const { attributes, expiry, output = [] } = reply;
    // What is not a token is for the caller, such as SECBUFFER_CHANNEL_BINDINGS_RESULT, and comes with the result.
    const others = output.length < 2 && token !== undefined ? noBuffers : output.filter(isNoToken);
    const finished: AcceptReply = { status: SEC_E_OK, attributes, expiry, output: others };
    const integrity = ((attributes ?? 0) & ASC_RET_INTEGRITY) !== 0;
    const due = integrity && !this.#choice.isFirst;
    if (mic === undefined && !due) {
      return this.#establish(finished, { negState: NEG_STATE_ACCEPT_COMPLETED, responseToken: token });
    }
    if (mic === undefined && token === undefined) return this.#refuse(call, SEC_E_INVALID_TOKEN, micMissing); // attack B05
    if (mic !== undefined && !this.#verifies(mic)) return this.#refuse(call, SEC_E_INVALID_TOKEN, micWrong); // attack B04
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

  /** The client's MIC after ours: nothing is left to say, and no token is expected. */
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

  /** supportedMech goes out once, with the first reply (RFC 4178 section 4.2.2). */
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

function isNoToken({ type }: SecBuffer): boolean {
  return (type & SECBUFFER_TYPE_MASK) !== SECBUFFER_TOKEN;
}

const micMissing: Diagnosis = {
  text: 'mechListMIC is missing, and the mechanism is not the first that the client named',
};
const micWrong: Diagnosis = { text: 'mechListMIC does not verify: the list of mechanisms was changed on its way' };

/**
 * The end of a negotiation. Where the caller wants its peer told (ASC_REQ_EXTENDED_ERROR), in SPNEGO's words, with what
 * the inner package says.
 */
function rejected(call: AcceptCall, status: number, diagnosis?: Diagnosis, responseToken?: Uint8Array): AcceptReply {
  if ((call.requirements & ASC_REQ_EXTENDED_ERROR) === 0) return { status, diagnosis };
  const data = encodeNegTokenResp({ negState: NEG_STATE_REJECT, responseToken });
  return { status, output: [{ type: SECBUFFER_TOKEN, data }], diagnosis };
}

function decoded(token: Uint8Array | undefined): NegTokenInit | NegTokenResp | undefined {
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
