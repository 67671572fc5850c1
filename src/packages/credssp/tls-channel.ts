/** The TLS connection inside CredSSP: the handshake, then TSRequests in both directions, over the package Schannel. */
import { tsRequestLength } from '../../formats/credssp/ts-request.ts';
import { subjectPublicKey } from '../../formats/certificate-names.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { SECPKG_ATTR_LOCAL_CERT_CONTEXT } from '../../sspi/attributes.ts';
import * as Buffers from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import * as Requirement from '../../sspi/requirements.ts';
import type { AcceptCall, AcceptReply, PackageContext, PackageCredential } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';

/** What Schannel may be asked for. It refuses DELEGATE, and MUTUAL_AUTH would ask for the client's certificate. */
const TLS_REQUIREMENTS =
  Requirement.ASC_REQ_CONFIDENTIALITY |
  Requirement.ASC_REQ_REPLAY_DETECT |
  Requirement.ASC_REQ_SEQUENCE_DETECT |
  Requirement.ASC_REQ_STREAM |
  Requirement.ASC_REQ_CONNECTION |
  Requirement.ASC_REQ_EXTENDED_ERROR;

/** How many bytes a client may send until it has signed in: five TSRequests of 48 KiB fit (attack F06). */
const MAX_HANDSHAKE_BYTES = 256 * 1024;

/** What some records held. */
export interface ReadRequest {
  /** SEC_E_OK with `request`; SEC_E_INCOMPLETE_MESSAGE: more records are needed; else a failure. */
  readonly status: number;
  /** One whole TSRequest. Its secrets are sealed by Negotiate. */
  readonly request?: Buffer | undefined;
  /** Bytes of the input that were not consumed. */
  readonly rest: Uint8Array;
  /** Records to send, whatever the status is. */
  readonly output: readonly Uint8Array[];
  readonly missing?: number | undefined;
}

export class TlsChannel {
  readonly #credential: PackageCredential;
  #context: PackageContext | undefined;
  #secure = false;
  /** Cleartext of a TSRequest that is not whole. */
  #pending: Buffer = Buffer.alloc(0);
  #received = 0;

  constructor(credential: PackageCredential) {
    this.#credential = credential;
  }

  /** The handshake is done. */
  get secure(): boolean {
    return this.#secure;
  }

  /** The Schannel context; undefined before the first record and after `delete`. */
  get context(): PackageContext | undefined {
    return this.#context;
  }

  get heldBytes(): number | undefined {
    if (this.#context === undefined) return 0;
    const { heldBytes } = this.#context;
    return heldBytes === undefined ? undefined : heldBytes + this.#pending.byteLength;
  }

  /** One leg of the TLS handshake, or the leg that closes the connection. */
  async handshake(bytes: Uint8Array, call: AcceptCall): Promise<AcceptReply> {
    const input = [
      { type: Buffers.SECBUFFER_TOKEN, data: bytes },
      { type: Buffers.SECBUFFER_EMPTY, data: new Uint8Array(0) },
    ];
    const tlsCall = { ...call, input, requirements: (call.requirements & TLS_REQUIREMENTS) >>> 0 };
    const reply = await (this.#context ?? this.#credential).accept(tlsCall);
    this.#context ??= reply.context;
    const status = reply.status >>> 0;
    if (status === Status.SEC_E_OK && this.#context === undefined) return { status: Status.SEC_E_INTERNAL_ERROR };
    this.#secure ||= status === Status.SEC_E_OK;
    const rest = Buffers.findBuffer(reply.output ?? [], Buffers.SECBUFFER_EXTRA)?.data.byteLength ?? 0;
    if (status !== Status.SEC_E_INCOMPLETE_MESSAGE && !this.#consume(bytes.byteLength - rest)) return tooMuch;
    return reply;
  }

  #consume(count: number): boolean {
    this.#received += count;
    return this.#received <= MAX_HANDSHAKE_BYTES;
  }

  /**
   * Opens records until a TSRequest is whole, and no more: what follows it is not for CredSSP.
   *
   * @throws MalformedTokenError if the cleartext is not a TSRequest, or if something follows it in its last record
   */
  async read(bytes: Uint8Array): Promise<ReadRequest> {
    const output: Uint8Array[] = [];
    let rest = bytes;
    let missing: number | undefined;
    while (rest.byteLength > 0) {
      const answer = await this.#open(rest);
      const value = answer.value ?? [];
      const sent = Buffers.findBuffer(value, Buffers.SECBUFFER_TOKEN)?.data;
      if (sent !== undefined && sent.byteLength > 0) output.push(sent);
      missing = answer.missing;
      if (answer.status === Status.SEC_E_INCOMPLETE_MESSAGE) break;
      if (answer.status !== Status.SEC_E_OK) return { status: failureOf(answer.status), rest, output };
      const before = rest.byteLength;
      rest = Buffers.findBuffer(value, Buffers.SECBUFFER_EXTRA)?.data ?? new Uint8Array(0);
      if (!this.#consume(before - rest.byteLength)) return { ...tooMuch, rest, output };
      this.#pending = Buffer.concat([this.#pending, ...value.filter(isData).map(({ data }) => data)]);
      const length = tsRequestLength(this.#pending);
      if (length === undefined || length > this.#pending.byteLength) continue;
      const request = this.#pending;
      this.#pending = Buffer.alloc(0);
      return { status: Status.SEC_E_OK, request, rest, output };
    }
    return { status: Status.SEC_E_INCOMPLETE_MESSAGE, rest, output, missing };
  }

  async #open(bytes: Uint8Array) {
    const data = [{ type: Buffers.SECBUFFER_DATA, data: bytes }];
    return (await this.#context?.decryptMessage?.(data, undefined)) ?? { status: Status.SEC_E_INTERNAL_ERROR };
  }

  /**
   * The records of a TSRequest.
   *
   * @returns undefined if TLS makes none any more
   */
  async seal(request: Uint8Array): Promise<readonly Uint8Array[] | undefined> {
    const records: Uint8Array[] = [];
    for (let at = 0; at < request.byteLength; at += MAX_RECORD_DATA) {
      const data = [{ type: Buffers.SECBUFFER_DATA, data: request.subarray(at, at + MAX_RECORD_DATA) }];
      const answer = await this.#context?.encryptMessage?.(data, undefined);
      if (answer?.status !== Status.SEC_E_OK || answer.value === undefined) return undefined;
      records.push(...answer.value.map(({ data: bytes }) => bytes));
    }
    return records;
  }

  /** subjectPublicKey of the certificate that the client saw; undefined if Schannel does not tell. */
  publicKey(): Uint8Array | undefined {
    const certificate = this.#context?.queryAttribute(SECPKG_ATTR_LOCAL_CERT_CONTEXT).value;
    return certificate === undefined ? undefined : subjectPublicKey(certificate);
  }

  delete(): void {
    const context = this.#context;
    this.#context = undefined;
    this.#pending = Buffer.alloc(0);
    context?.delete();
  }
}

/** The most that encryptMessage of Schannel takes. */
const MAX_RECORD_DATA = 16_384;

const tooMuch = Object.freeze({
  status: Status.SEC_E_INVALID_TOKEN,
  diagnosis: { text: reason('credssp-too-much', { limit: MAX_HANDSHAKE_BYTES }) },
});

function isData({ type }: SecBuffer): boolean {
  return (type & Buffers.SECBUFFER_TYPE_MASK) === Buffers.SECBUFFER_DATA;
}

/** While a client signs in, a closed connection and a second handshake are failures. */
function failureOf(status: number): number {
  if (status === Status.SEC_I_CONTEXT_EXPIRED) return Status.SEC_E_CONTEXT_EXPIRED;
  return status === Status.SEC_I_RENEGOTIATE || Status.keepsContext(status) ? Status.SEC_E_INVALID_TOKEN : status;
}
