/**
 * The exchange of TSRequests inside TLS, server side (MS-CSSP 3.1.5): the client proves who it is with SPNEGO, NTLM or
 * Kerberos, both prove that they see the same public key, and then the client gives its credentials away.
 *
 * A client's message is refused unless it is the one that is due. So credentials are read only after the key is proved
 * (attack F04).
 */
import { decodeTsRequest } from '../../formats/credssp/ts-request.ts';
import type { TsRequest } from '../../formats/credssp/ts-request.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { SECBUFFER_DATA, SECBUFFER_STREAM, SECBUFFER_TOKEN, findBuffer } from '../../sspi/buffers.ts';
import * as Requirement from '../../sspi/requirements.ts';
import type {
  AcceptCall,
  AcceptReply,
  Diagnosis,
  PackageContext,
  PackageCredential,
} from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { readCredentials } from './credentials.ts';
import type { CredSspSettings } from './credssp-auth-data.ts';
import type { DelegatedSecret } from './delegated-secret.ts';
import { bindsKey, isHashed, serverBinding } from './key-binding.ts';

/** NTSTATUS, MS-ERREF 2.3: for errorCode. */
const STATUS_LOGON_FAILURE = 0xc000006d;
const STATUS_NOT_SUPPORTED = 0xc00000bb;

/** What Negotiate must give: pubKeyAuth and authInfo are sealed with its context. */
const NEGOTIATE_REQUIREMENTS =
  Requirement.ASC_REQ_CONFIDENTIALITY |
  Requirement.ASC_REQ_INTEGRITY |
  Requirement.ASC_REQ_REPLAY_DETECT |
  Requirement.ASC_REQ_SEQUENCE_DETECT |
  Requirement.ASC_REQ_EXTENDED_ERROR;

const noNonce = new Uint8Array(0);

/** What the server does after a message. */
export interface Step {
  readonly status: number;
  /** To send; with a failure an errorCode, where the version has one. */
  readonly answer?: TsRequest | undefined;
  readonly diagnosis?: Diagnosis | undefined;
}

/** The client is verified, and its credentials were read. */
export interface Verified {
  readonly context: PackageContext;
  /** ASC_RET_* bits of the context of Negotiate. */
  readonly attributes: number;
  readonly expiry: Date | undefined;
  readonly delegated: DelegatedSecret | undefined;
}

export class CredSspExchange {
  readonly #settings: CredSspSettings;
  readonly #credential: PackageCredential;
  #context: PackageContext | undefined;
  /** The last reply of Negotiate, once its context stands. */
  #stands: AcceptReply | undefined;
  #keyProved = false;
  #clientVersion: number | undefined;
  #nonce: Uint8Array | undefined;
  #verified: Verified | undefined;

  /** @param credential of Negotiate */
  constructor(settings: CredSspSettings, credential: PackageCredential) {
    this.#settings = settings;
    this.#credential = credential;
  }

  get verified(): Verified | undefined {
    return this.#verified;
  }

  get heldBytes(): number | undefined {
    return this.#context === undefined ? 0 : this.#context.heldBytes;
  }

  /**
   * Takes one message.
   *
   * @param bytes of the message, unsealed by TLS
   * @param publicKey subjectPublicKey of the server's certificate
   * @throws MalformedTokenError if it is not a TSRequest, or a part of it has not its form
   */
  async take(bytes: Uint8Array, publicKey: Uint8Array, call: AcceptCall): Promise<Step> {
    const request = decodeTsRequest(bytes);
    const refused = this.#refusal(request);
    if (refused !== undefined) return refused;
    if (this.#keyProved) return await this.#takeCredentials(request, call);
    if (request.authInfo !== undefined) return this.#refuse('credentials before the public key was proved');
    let negoToken: Uint8Array | undefined;
    if (request.negoToken !== undefined) {
      if (this.#stands !== undefined) return this.#refuse('a negoToken after the client was verified');
      const reply = await this.#negotiate(request.negoToken, call);
      const status = reply.status >>> 0;
      if (status !== Status.SEC_E_OK && status !== Status.SEC_I_CONTINUE_NEEDED) {
        const failure = Status.keepsContext(status) ? Status.SEC_E_INTERNAL_ERROR : status;
        return this.#failure(failure, reply.diagnosis);
      }
      const token = findBuffer(reply.output ?? [], SECBUFFER_TOKEN)?.data;
      negoToken = token !== undefined && token.byteLength > 0 ? token : undefined;
      if (status === Status.SEC_E_OK) this.#stands = reply;
    }
    if (request.pubKeyAuth !== undefined) return await this.#bind(request.pubKeyAuth, publicKey, negoToken);
    if (request.negoToken === undefined) return this.#refuse('a message with neither negoTokens nor pubKeyAuth');
    return this.#answer({ negoToken });
  }

  /** What both sides know. */
  get #version(): number {
    return Math.min(this.#clientVersion ?? 0, this.#settings.maxVersion);
  }

  /** The rules of version, errorCode and nonce: the first value is binding (attacks F01, F02, F07). */
  #refusal({ version, errorCode, clientNonce }: TsRequest): Step | undefined {
    const changed = this.#clientVersion !== undefined && version !== this.#clientVersion;
    this.#clientVersion ??= version;
    if (changed) return this.#refuse('the version changed between two messages');
    if (this.#version < this.#settings.minVersion) {
      const text = reason('credssp-version', { version, minVersion: this.#settings.minVersion });
      return this.#failure(Status.SEC_E_UNSUPPORTED_FUNCTION, { text }, STATUS_NOT_SUPPORTED);
    }
    if (errorCode !== undefined) return this.#refuse('an errorCode from the client');
    if (clientNonce === undefined) return undefined;
    if (this.#nonce !== undefined && !Buffer.from(clientNonce).equals(this.#nonce)) {
      return this.#refuse('the nonce changed between two messages');
    }
    this.#nonce ??= Uint8Array.from(clientNonce);
    return undefined;
  }

  async #negotiate(negoToken: Uint8Array, call: AcceptCall): Promise<AcceptReply> {
    // No channel bindings: pubKeyAuth is the binding.
    const input = [{ type: SECBUFFER_TOKEN, data: Uint8Array.from(negoToken) }];
    const innerCall = { ...call, input, requirements: NEGOTIATE_REQUIREMENTS };
    const reply = await (this.#context ?? this.#credential).accept(innerCall);
    this.#context ??= reply.context;
    return reply;
  }

  async #bind(sealed: Uint8Array, publicKey: Uint8Array, negoToken: Uint8Array | undefined): Promise<Step> {
    if (this.#stands === undefined) return this.#refuse('pubKeyAuth before the client was verified');
    const version = this.#version;
    if (isHashed(version) && this.#nonce === undefined) return this.#refuse('pubKeyAuth without a clientNonce');
    const nonce = this.#nonce ?? noNonce;
    const received = await this.#unseal(sealed);
    if (received === undefined) return this.#unsealable('pubKeyAuth');
    if (!bindsKey(version, publicKey, nonce, received)) {
      return this.#failure(Status.SEC_E_BAD_BINDINGS, this.#about(reason('credssp-other-certificate')));
    }
    const pubKeyAuth = await this.#seal(serverBinding(version, publicKey, nonce));
    if (pubKeyAuth === undefined)
      return this.#failure(Status.SEC_E_INTERNAL_ERROR, this.#about(reason('credssp-cannot-seal')));
    this.#keyProved = true;
    return this.#answer({ negoToken, pubKeyAuth });
  }

  async #takeCredentials({ authInfo, negoToken, pubKeyAuth }: TsRequest, call: AcceptCall): Promise<Step> {
    const context = this.#context;
    if (this.#verified !== undefined || authInfo === undefined || context === undefined) {
      return this.#refuse('another message than the one with the credentials');
    }
    if (negoToken !== undefined || pubKeyAuth !== undefined) return this.#refuse('credentials and something else');
    const clear = await this.#unseal(authInfo);
    if (clear === undefined) return this.#unsealable('authInfo');
    try {
      const keep = this.#settings.delegation && (call.requirements & Requirement.ASC_REQ_DELEGATE) !== 0;
      const read = readCredentials(clear, context, { keep, restrictedAdmin: this.#settings.restrictedAdmin });
      if (read.refused !== undefined) return this.#failure(read.status, this.#about(read.refused));
      const { attributes = 0, expiry } = this.#stands ?? {};
      this.#verified = { context, attributes, expiry, delegated: read.delegated };
      return { status: Status.SEC_E_OK };
    } finally {
      clear.fill(0);
    }
  }

  /** Undefined if it does not verify. */
  async #unseal(sealed: Uint8Array): Promise<Uint8Array | undefined> {
    const message = [
      { type: SECBUFFER_STREAM, data: Uint8Array.from(sealed) },
      { type: SECBUFFER_DATA, data: new Uint8Array(0) },
    ];
    const answer = await this.#context?.decryptMessage?.(message, 0);
    if (answer?.status !== Status.SEC_E_OK || answer.value === undefined) return undefined;
    const parts = answer.value.filter(({ type }) => type === SECBUFFER_DATA).map(({ data }) => data);
    const [only] = parts;
    if (only !== undefined && parts.length === 1) return only;
    const joined = Buffer.concat(parts);
    for (const part of parts) part.fill(0);
    return joined;
  }

  async #seal(data: Uint8Array): Promise<Uint8Array | undefined> {
    const answer = await this.#context?.encryptMessage?.([{ type: SECBUFFER_DATA, data }], 0);
    if (answer?.status !== Status.SEC_E_OK || answer.value === undefined) return undefined;
    return Buffer.concat(answer.value.map(({ data: bytes }) => bytes));
  }

  #answer(fields: Omit<TsRequest, 'version'>): Step {
    return { status: Status.SEC_I_CONTINUE_NEEDED, answer: { version: this.#settings.maxVersion, ...fields } };
  }

  #about(text: string): Diagnosis {
    const token = this.#context?.queryToken().value;
    if (token === undefined) return { text };
    const { userName, domain } = token;
    return { account: domain === undefined ? userName : `${domain}\\${userName}`, text };
  }

  /** A message that no client sends. */
  #refuse(text: string): Step {
    return this.#failure(Status.SEC_E_INVALID_TOKEN, { text: reason('credssp-invalid', { detail: text }) });
  }

  #unsealable(field: string): Step {
    return this.#failure(Status.SEC_E_MESSAGE_ALTERED, this.#about(reason('credssp-cannot-unseal', { field })));
  }

  /** Versions 2 and 5 have no errorCode (MS-CSSP 3.1.5): their client sees the connection end. */
  #failure(status: number, diagnosis: Diagnosis | undefined, errorCode = STATUS_LOGON_FAILURE): Step {
    const version = this.#version;
    const tells = version === 3 || version === 4 || version >= 6;
    const answer = tells ? { version: this.#settings.maxVersion, errorCode } : undefined;
    return { status, answer, diagnosis };
  }

  /** For a failure that has no status of its own, such as a malformed message. */
  errorAnswer(): TsRequest | undefined {
    return this.#failure(Status.SEC_E_INVALID_TOKEN, undefined).answer;
  }

  delete(): void {
    this.#verified?.delegated?.wipe();
    const context = this.#context;
    this.#context = undefined;
    context?.delete();
  }
}
