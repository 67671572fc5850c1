/**
 * The security context of the NTLM acceptor, MS-NLMP section 3.2.5.1.2. It has sent one challenge and takes one
 * response. After that it is established, or it cannot be used any more.
 */
import { sourceName } from '../../accounts/account-source.ts';
import { timingSafeEqual } from 'node:crypto';
import { messageIntegrityCode } from '../../crypto/ntlm-keys.ts';
import { rc4 } from '../../crypto/rc4.ts';
import { errorKind, MalformedTokenError } from '../../foundation/errors.ts';
import { AV_FLAG_MIC_PRESENT, AV_FLAG_UNTRUSTED_TARGET } from '../../formats/ntlm/av-pairs.ts';
import { filetimeDistance, filetimeOf, filetimeSpan } from '../../formats/filetime.ts';
import {
  decodeAuthenticateMessage,
  MIC_BYTES,
  MIC_OFFSET,
  ntResponseLength,
} from '../../formats/ntlm/authenticate-message.ts';
import type { AuthenticateMessage } from '../../formats/ntlm/authenticate-message.ts';
import {
  NTLMSSP_NEGOTIATE_128,
  NTLMSSP_NEGOTIATE_ANONYMOUS,
  NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY,
  NTLMSSP_NEGOTIATE_KEY_EXCH,
  NTLMSSP_NEGOTIATE_SEAL,
  NTLMSSP_NEGOTIATE_SIGN,
} from '../../formats/ntlm/negotiate-flags.ts';
import { decodeNtlmV2Response, NTLM_V1_RESPONSE_BYTES } from '../../formats/ntlm/ntlmv2-response.ts';
import type { NtlmV2Response } from '../../formats/ntlm/ntlmv2-response.ts';
import { reason } from '../../identity/reasons/reason.ts';
import type { ContextAttribute, ContextAttributeValues } from '../../sspi/attributes.ts';
import { findBuffer, SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { AcceptCall, AcceptReply, Answer, ClaimedAccount, PackageContext } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { isThenable } from '../../foundation/thenable.ts';
import { answerAttribute, contextAttributes } from './ntlm-attributes.ts';
import type { EstablishedFacts } from './ntlm-attributes.ts';
import { acceptsTarget, serverNames } from './ntlm-auth-data.ts';
import type { NtlmSettings } from './ntlm-auth-data.ts';
import type { IssuedChallenge } from './ntlm-challenge.ts';
import { bindingsPolicy, bindingsResult, meetsBindingsPolicy } from './ntlm-channel-bindings.ts';
import type { BindingsPolicy } from './ntlm-channel-bindings.ts';
import { NtlmMessageSecurity } from './ntlm-message-security.ts';
import { readResult } from './ntlm-result.ts';
import type { Unverified } from './ntlm-result.ts';

/** An established context. */
interface Established extends EstablishedFacts {
  /** The flags both sides agreed on. */
  readonly flags: number;
  readonly claimed: ClaimedAccount;
  /** Made on first use: over HTTP no message is protected, and to derive the keys takes a third of a sign-in's time. */
  security: NtlmMessageSecurity | undefined;
}

type State =
  | { readonly phase: 'challenged'; readonly challenge: IssuedChallenge }
  | { readonly phase: 'established'; readonly established: Established }
  /** The challenge was used, successfully or not, or the context was deleted. */
  | { readonly phase: 'spent' };

/** An AUTHENTICATE_MESSAGE that passed every check except those that need the account. */
interface CheckedMessage {
  readonly message: AuthenticateMessage;
  readonly response: NtlmV2Response;
  /** The flags both sides have. */
  readonly flags: number;
  /** The AUTHENTICATE_MESSAGE as received, copied. */
  readonly raw: Uint8Array;
}

const spent: State = Object.freeze({ phase: 'spent' });

export class NtlmContext implements PackageContext {
  readonly #settings: NtlmSettings;
  readonly #firstPolicy: BindingsPolicy;
  #state: State;

  /**
   * @param challenge the challenge that was sent
   * @param firstPolicy channel-binding policy of the first leg: bindings given there apply if the last leg has none
   */
  constructor(settings: NtlmSettings, challenge: IssuedChallenge, firstPolicy: BindingsPolicy = { mode: 'none' }) {
    this.#settings = settings;
    this.#firstPolicy = firstPolicy;
    this.#state = { phase: 'challenged', challenge };
  }

  /** The messages that the MIC will cover. */
  get heldBytes(): number {
    if (this.#state.phase !== 'challenged') return 0;
    const { negotiateMessage, challengeMessage } = this.#state.challenge;
    return negotiateMessage.byteLength + challengeMessage.byteLength;
  }

  /**
   * The last leg: an AUTHENTICATE_MESSAGE. The first call uses up the challenge, whatever its result is, so that no
   * second response can be tried with it (attacks C02, C03).
   */
  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const state = this.#state;
    if (state.phase === 'established') this.delete();
    if (state.phase !== 'challenged') return { status: Status.SEC_E_OUT_OF_SEQUENCE };
    this.#state = spent;
    const { challenge } = state;

    let policy: BindingsPolicy | undefined;
    let read: CheckedMessage | AcceptReply;
    try {
      policy = strictest(this.#firstPolicy, bindingsPolicy(call));
      if (policy === undefined) return { status: Status.SEC_E_UNSUPPORTED_FUNCTION };
      read = this.#read(call, challenge, policy);
    } catch (error) {
      if (error instanceof MalformedTokenError) return malformed(call, error);
      throw error;
    }
    if ('status' in read) return read;

    const checked = read;
    const { message } = checked;
    const { requirements } = call;
    const bindings = policy;
    const finish = (result: unknown): AcceptReply => this.#finish(result, challenge, checked, bindings, requirements);
    const failed = (error: unknown): AcceptReply => sourceFailed(message, sourceName(this.#settings.accounts), error);
    let result: unknown;
    try {
      result = this.#settings.accounts.verifyNtlm({
        userName: message.userName,
        domain: message.domain,
        workstation: message.workstation,
        ...serverNames(this.#settings),
        serverChallenge: challenge.serverChallenge,
        ntResponse: message.ntResponse,
      });
    } catch (error) {
      return failed(error);
    }
    if (!isThenable(result)) return finish(result);
    return Promise.resolve(result).then(finish, failed);
  }

  /** Makes every check that needs no account, before one is looked up. So the result does not depend on the account. */
  #read(call: AcceptCall, challenge: IssuedChallenge, policy: BindingsPolicy): CheckedMessage | AcceptReply {
    const token = findBuffer(call.input, SECBUFFER_TOKEN)?.data;
    if (token === undefined) return { status: Status.SEC_E_INVALID_TOKEN };
    // A copy: the caller's bytes may change while the account source works. Not slice(): on a Buffer it does not copy.
    const raw = new Uint8Array(token);
    const message = decodeAuthenticateMessage(raw, challenge.flags);
    const flags = agreedFlags(message.flags & challenge.flags);

    if (message.userName === '' || (message.flags & NTLMSSP_NEGOTIATE_ANONYMOUS) !== 0) {
      return refusal(Status.SEC_E_LOGON_DENIED, message, reason('anonymous-logon'));
    }
    const length = message.ntResponse.byteLength;
    if (length === 0 || length === NTLM_V1_RESPONSE_BYTES) {
      // LM, NTLMv1, or NTLMv1 with extended session security: never verified. None can carry bindings (attack C17).
      const status = policy.mode === 'none' ? Status.SEC_E_LOGON_DENIED : Status.SEC_E_BAD_BINDINGS;
      return refusal(status, message, noNtlmV2);
    }
    const response = decodeNtlmV2Response(message.ntResponse);

    if (this.#settings.require128 && (flags & NTLMSSP_NEGOTIATE_128) === 0) {
      return refusal(Status.SEC_E_UNSUPPORTED_FUNCTION, message, reason('ntlm-no-128-bit'));
    }
    const keyLength = message.encryptedRandomSessionKey.byteLength;
    if ((flags & NTLMSSP_NEGOTIATE_KEY_EXCH) !== 0 && keyLength !== 16) {
      return refusal(Status.SEC_E_INVALID_TOKEN, message, reason('ntlm-key-length'));
    }

    const { clock, maxLifetimeMilliseconds } = this.#settings;
    const age = filetimeDistance(response.timestamp, filetimeOf(clock.now()));
    if (age > filetimeSpan(maxLifetimeMilliseconds)) {
      return refusal(Status.SEC_E_LOGON_DENIED, message, reason('ntlm-clock'));
    }
    return { message, response, flags, raw };
  }

  /** Takes the result of the account source, makes the remaining checks and establishes the context. */
  #finish(
    result: unknown,
    challenge: IssuedChallenge,
    { message, response, flags, raw }: CheckedMessage,
    policy: BindingsPolicy,
    requirements: number,
  ): AcceptReply {
    const verified = readResult(result, this.#settings.domain);
    if ('status' in verified) return refusal(verified.status, message, sourceText(verified));
    const { token, sessionBaseKey } = verified;
    let exportedSessionKey = sessionBaseKey;
    if ((flags & NTLMSSP_NEGOTIATE_KEY_EXCH) !== 0) {
      exportedSessionKey = rc4(sessionBaseKey, message.encryptedRandomSessionKey);
      sessionBaseKey.fill(0);
    }
    const refuse = (status: number, text: string): AcceptReply => {
      exportedSessionKey.fill(0);
      return refusal(status, message, text);
    };
    const { flags: avFlags = 0, channelBindings, targetName = '' } = response.avPairs;
    if ((avFlags & AV_FLAG_MIC_PRESENT) !== 0) {
      if (!verifyMic(exportedSessionKey, challenge, message.mic, raw)) {
        return refuse(Status.SEC_E_LOGON_DENIED, reason('ntlm-mic-wrong'));
      }
    } else if (this.#settings.requireMic) {
      return refuse(Status.SEC_E_LOGON_DENIED, reason('ntlm-mic-missing'));
    }
    if (!meetsBindingsPolicy(policy, channelBindings)) {
      return refuse(Status.SEC_E_BAD_BINDINGS, reason('ntlm-bindings'));
    }
    // The response covers the name, so nobody in between could change it (attack C18).
    const target = (avFlags & AV_FLAG_UNTRUSTED_TARGET) === 0 ? targetName : '';
    if (!acceptsTarget(this.#settings, target)) {
      return refuse(Status.SEC_E_WRONG_PRINCIPAL, foreignTarget(target));
    }

    const attributes = contextAttributes(flags, requirements);
    this.#state = {
      phase: 'established',
      established: {
        token,
        computerName: this.#settings.computerName,
        exportedSessionKey,
        flags,
        claimed: { userName: message.userName, domain: message.domain },
        security: undefined,
        attributes,
        target,
        start: new Date(this.#settings.clock.now()),
      },
    };
    return { status: Status.SEC_E_OK, attributes, output: bindingsResult(policy, channelBindings) };
  }

  #established(): Established | undefined {
    return this.#state.phase === 'established' ? this.#state.established : undefined;
  }

  queryAttribute<A extends ContextAttribute>(attribute: A): Answer<ContextAttributeValues[A]> {
    const established = this.#established();
    if (established === undefined) return { status: Status.SEC_E_INVALID_HANDLE };
    return answerAttribute(established, attribute);
  }

  queryToken(): Answer<SecurityContextToken> {
    const established = this.#established();
    if (established === undefined) return { status: Status.SEC_E_INVALID_HANDLE };
    return { status: Status.SEC_E_OK, value: established.token };
  }

  get claimedAccount(): ClaimedAccount | undefined {
    return this.#established()?.claimed;
  }

  /** Message protection; undefined before the context is established. */
  #security(): NtlmMessageSecurity | undefined {
    const established = this.#established();
    if (established === undefined) return undefined;
    established.security ??= new NtlmMessageSecurity(established.exportedSessionKey, established.flags);
    return established.security;
  }

  makeSignature(message: readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    return this.#security()?.makeSignature(message) ?? { status: Status.SEC_E_INVALID_HANDLE };
  }

  verifySignature(message: readonly SecBuffer[]): Answer<number> {
    return this.#security()?.verifySignature(message) ?? { status: Status.SEC_E_INVALID_HANDLE };
  }

  encryptMessage(message: readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    return this.#security()?.encryptMessage(message) ?? { status: Status.SEC_E_INVALID_HANDLE };
  }

  decryptMessage(message: readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    return this.#security()?.decryptMessage(message) ?? { status: Status.SEC_E_INVALID_HANDLE };
  }

  resetMessageState(): void {
    this.#established()?.security?.resetCiphers();
  }

  delete(): void {
    const established = this.#established();
    this.#state = spent;
    established?.security?.wipe();
    established?.exportedSessionKey.fill(0);
  }
}

/**
 * The policy for both legs: that of the last leg, except that what only the first leg required still applies. Bindings
 * come before ASC_REQ_PROXY_BINDINGS.
 */
function strictest(first: BindingsPolicy, last: BindingsPolicy | undefined): BindingsPolicy | undefined {
  if (last === undefined || 'hash' in last) return last;
  return 'hash' in first || last.mode === 'none' ? first : last;
}

/**
 * The flags that take effect. Without extended session security nothing is signed or sealed. A key is exchanged only
 * for signing or sealing (section 3.2.5.1.2).
 */
function agreedFlags(common: number): number {
  const signing = NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL;
  let flags = common;
  if ((flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) === 0) flags &= ~signing;
  if ((flags & signing) === 0) flags &= ~NTLMSSP_NEGOTIATE_KEY_EXCH;
  return flags >>> 0;
}

/** A refusal. For the server's log it holds the claimed account and the cause. */
function refusal(status: number, { userName, domain }: AuthenticateMessage, text?: string): AcceptReply {
  const account = domain === '' ? userName : `${domain}\\${userName}`;
  return { status, diagnosis: { account, ...(text === undefined ? undefined : { text }) } };
}

function foreignTarget(target: string): string {
  return target === '' ? reason('ntlm-target-missing') : reason('ntlm-target-foreign', { target });
}

const noNtlmV2 = reason('ntlm-too-old');

/**
 * The refusal of a malformed message. If its response is LM or NTLMv1, the log says so: such clients often break other
 * rules too, but this is the cause to fix.
 */
function malformed({ input }: AcceptCall, { message }: MalformedTokenError): AcceptReply {
  const token = findBuffer(input, SECBUFFER_TOKEN)?.data;
  const length = token === undefined ? undefined : ntResponseLength(token);
  const isOld = length === 0 || length === NTLM_V1_RESPONSE_BYTES;
  return {
    status: Status.SEC_E_INVALID_TOKEN,
    diagnosis: { text: isOld ? noNtlmV2 : reason('ntlm-message-invalid', { detail: message }) },
  };
}

/** What a source says is its operator's own text. */
function sourceText({ status, reason: detail }: Unverified): string | undefined {
  if (detail === undefined) return undefined;
  if (status === Status.SEC_E_INTERNAL_ERROR) return reason('account-invalid', { detail });
  return reason(status === Status.SEC_E_LOGON_DENIED ? 'account-source-refused' : 'account-source-away', { detail });
}

function sourceFailed(message: AuthenticateMessage, where: string, error: unknown): AcceptReply {
  const text = reason('account-source-failed', { source: where, detail: errorKind(error) });
  const reply = refusal(Status.SEC_E_INTERNAL_ERROR, message, text);
  return { ...reply, diagnosis: { ...reply.diagnosis, failure: { where, error } } };
}

const noMic = new Uint8Array(MIC_BYTES);

/**
 * Verifies the MIC, section 3.2.5.1.2. It covers the three messages as they were on the wire, with zeros in place of
 * the MIC itself (attacks C13, C15).
 *
 * @param raw the AUTHENTICATE_MESSAGE; its MIC is overwritten with zeros
 */
function verifyMic(
  exportedSessionKey: Uint8Array,
  { negotiateMessage, challengeMessage }: IssuedChallenge,
  mic: Uint8Array | undefined,
  raw: Uint8Array,
): boolean {
  if (mic === undefined) return false;
  const received = new Uint8Array(mic);
  raw.set(noMic, MIC_OFFSET);
  const expected = messageIntegrityCode(exportedSessionKey, negotiateMessage, challengeMessage, raw);
  return timingSafeEqual(expected, received);
}
