/** A Schannel context: the legs of a TLS handshake, then messages, then the end. */
import type { TLSSocket } from 'node:tls';
import { encodePlaintextAlert, hasTlsRecord, TLS_APPLICATION_DATA, tlsRecordAt } from '../../formats/tls-record.ts';
import type { TlsAlert } from '../../formats/tls-record.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';
import { reason } from '../../identity/reasons/reason.ts';
import type {
  ContextAttribute,
  ContextAttributeValues,
  SettableContextAttribute,
  SettableContextAttributeValues,
} from '../../sspi/attributes.ts';
import * as Buffers from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import * as Requirement from '../../sspi/requirements.ts';
import { SCHANNEL_ALERT, SCHANNEL_SHUTDOWN, TLS1_ALERT_FATAL } from '../../sspi/schannel-control.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type {
  AcceptCall,
  AcceptReply,
  Answer,
  Diagnosis,
  MessageAnswer,
  PackageContext,
} from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { mapClientCertificate } from './client-certificate.ts';
import { answerAttribute } from './schannel-attributes.ts';
import type { EstablishedFacts } from './schannel-attributes.ts';
import type { SchannelSettings } from './schannel-auth-data.ts';
import { decryptRecord, encryptRecord } from './schannel-messages.ts';
import type { TlsAcceptor } from './tls-acceptor.ts';
import { TlsEngine } from './tls-engine.ts';
import { codeOf, handshakeFailure } from './tls-failure.ts';

/** What a half-open connection holds, measured on Node 20: OpenSSL's state and buffers. */
const HALF_OPEN_BYTES = 50 * 1024;

const UNKNOWN_CA: TlsAlert = { level: TLS1_ALERT_FATAL, description: 48 };
const CERTIFICATE_REQUIRED: TlsAlert = { level: TLS1_ALERT_FATAL, description: 40 };

const invalidParameter = Status.SEC_E_INVALID_PARAMETER;

export class SchannelContext implements PackageContext {
  readonly #settings: SchannelSettings;
  readonly #acceptor: () => TlsAcceptor;
  readonly #requirements: number;
  /** Made when the first record is whole. */
  #engine: TlsEngine | undefined;
  #facts: EstablishedFacts | undefined;
  /** Records that are encrypted were sent before the handshake was done, which is TLS 1.3. */
  #encrypted = false;
  /** What the next call of accept makes. */
  #control: 'shutdown' | TlsAlert | undefined;
  #closed = false;

  constructor(settings: SchannelSettings, acceptor: () => TlsAcceptor, requirements: number) {
    this.#settings = settings;
    this.#acceptor = acceptor;
    this.#requirements = requirements;
  }

  get heldBytes(): number {
    return this.#engine === undefined ? 0 : HALF_OPEN_BYTES;
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const token = Buffers.findBuffer(call.input, Buffers.SECBUFFER_TOKEN)?.data ?? new Uint8Array(0);
    if (this.#control !== undefined && token.byteLength === 0) return this.#controlled(this.#control);
    if (this.#facts !== undefined) {
      return { status: Status.SEC_E_UNSUPPORTED_FUNCTION, diagnosis: { text: reason('schannel-second-handshake') } };
    }
    try {
      const { end, missing } = tlsRecordAt(token, 0);
      if (end === undefined) return { status: Status.SEC_E_INCOMPLETE_MESSAGE, missing };
    } catch (error) {
      return notTls(error);
    }
    // The caller may change its buffer while this waits.
    return this.#leg(Buffer.from(token), call);
  }

  async #leg(token: Buffer, call: AcceptCall): Promise<AcceptReply> {
    this.#engine ??= new TlsEngine(this.#acceptor());
    const engine = this.#engine;
    const begun = engine.begin();
    if (begun !== undefined) await begun;
    if (call.abandoned?.() === true) return { status: Status.SEC_E_UNFINISHED_CONTEXT_DELETED };
    if (engine.failed) {
      const text = reason('schannel-timeout');
      return this.#refused(Status.SEC_E_CONTEXT_EXPIRED, new Uint8Array(0), undefined, { text });
    }
    let read: number;
    try {
      read = engine.handshake(token);
    } catch (error) {
      await engine.output();
      return notTls(error);
    }
    const output = await engine.output();
    if (engine.socket === undefined && engine.failed) return this.#failed(engine, output);
    this.#encrypted ||= engine.socket === undefined && hasTlsRecord(output, TLS_APPLICATION_DATA);
    const extra = token.subarray(read);
    const buffers = [{ type: Buffers.SECBUFFER_TOKEN, data: output }];
    if (extra.byteLength > 0) buffers.push({ type: Buffers.SECBUFFER_EXTRA, data: extra });
    if (engine.socket === undefined) return { status: Status.SEC_I_CONTINUE_NEEDED, output: buffers };
    return await this.#established(engine.socket, output.byteLength > 0 ? buffers : buffers.slice(1));
  }

  #failed(engine: TlsEngine, output: Buffer): AcceptReply {
    // Node drops a client whose certificate it cannot verify when the handshake is done: without error or alert.
    const mutual = (this.#requirements & Requirement.ASC_REQ_MUTUAL_AUTH) !== 0;
    if (mutual && engine.error === undefined && output.byteLength === 0) {
      return this.#untrusted(engine.refusedCertificate);
    }
    const { status, alert } = handshakeFailure(output, engine.error);
    return this.#refused(status, output, alert, {
      text: reason('schannel-failed', { code: codeOf(engine.error) ?? 'the connection was given up' }),
    });
  }

  /** @param code `authorizationError` of Node */
  #untrusted(code: string | undefined): AcceptReply {
    return this.#refusedCertificate(UNKNOWN_CA, reason('schannel-untrusted', { code }));
  }

  /** In TLS 1.3 the alert would have to be encrypted, which only TLS itself can do. */
  #refusedCertificate(alert: TlsAlert, text: string): AcceptReply {
    const told = this.#encrypted ? undefined : alert;
    const output = told === undefined ? new Uint8Array(0) : encodePlaintextAlert(told);
    return this.#refused(Status.SEC_E_LOGON_DENIED, output, told, { text });
  }

  #refused(status: number, record: Uint8Array, alert: TlsAlert | undefined, diagnosis: Diagnosis): AcceptReply {
    const output: SecBuffer[] = [];
    if (record.byteLength > 0 && (this.#requirements & Requirement.ASC_REQ_EXTENDED_ERROR) !== 0) {
      output.push({ type: Buffers.SECBUFFER_TOKEN, data: record });
    }
    if (alert !== undefined) {
      output.push({ type: Buffers.SECBUFFER_ALERT, data: Uint8Array.of(alert.level, alert.description) });
    }
    return { status, output, diagnosis };
  }

  async #established(socket: TLSSocket, output: readonly SecBuffer[]): Promise<AcceptReply> {
    const { manualCredentialValidation, mapCertificate } = this.#settings;
    const mutual = (this.#requirements & Requirement.ASC_REQ_MUTUAL_AUTH) !== 0;
    // Without the requirement no client is asked for one.
    const certificate = mutual ? socket.getPeerX509Certificate() : undefined;
    if (mutual && certificate === undefined) {
      return this.#refusedCertificate(CERTIFICATE_REQUIRED, 'the client has no certificate');
    }
    const verified = mutual && !manualCredentialValidation && certificate !== undefined && socket.authorized;
    if (mutual && !manualCredentialValidation && !verified) return this.#untrusted(undefined);
    let token: SecurityContextToken | undefined;
    if (verified && mapCertificate !== undefined) {
      const mapped = await mapClientCertificate(mapCertificate, certificate);
      if (mapped.refused !== undefined)
        return this.#refused(mapped.status, new Uint8Array(0), undefined, mapped.refused);
      token = mapped.token;
    }
    const expiry = certificate === undefined ? undefined : new Date(certificate.validTo);
    const attributes = grantedAttributes(this.#requirements, verified);
    this.#facts = { socket, token, attributes, start: new Date(), expiry, keyingMaterial: undefined };
    return { status: Status.SEC_E_OK, output, attributes, expiry };
  }

  applyControlToken(input: readonly SecBuffer[]): number {
    const data = Buffers.findBuffer(input, Buffers.SECBUFFER_TOKEN)?.data;
    if (data === undefined || data.byteLength < 4) return invalidParameter;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    switch (view.getUint32(0, true)) {
      case SCHANNEL_SHUTDOWN:
        if (this.#closed) return Status.SEC_E_CONTEXT_EXPIRED;
        this.#control = 'shutdown';
        return Status.SEC_E_OK;
      case SCHANNEL_ALERT: {
        if (data.byteLength < 12) return invalidParameter;
        const [level, description] = [view.getUint32(4, true), view.getUint32(8, true)];
        if (level < 1 || level > TLS1_ALERT_FATAL || description > 0xff) return invalidParameter;
        // node:tls writes no alert that it is told to.
        if (this.#facts !== undefined || this.#encrypted) return Status.SEC_E_UNSUPPORTED_FUNCTION;
        this.#control = { level, description };
        return Status.SEC_E_OK;
      }
      default:
        return Status.SEC_E_UNSUPPORTED_FUNCTION;
    }
  }

  async #controlled(control: 'shutdown' | TlsAlert): Promise<AcceptReply> {
    this.#control = undefined;
    if (control !== 'shutdown') {
      const output = [{ type: Buffers.SECBUFFER_TOKEN, data: encodePlaintextAlert(control) }];
      return { status: Status.SEC_I_CONTEXT_EXPIRED, output };
    }
    const { attributes, expiry } = this.#facts ?? {};
    // Before the handshake is done there is nothing to close, and nothing that could be told from an attack.
    if (this.#engine === undefined || attributes === undefined) return { status: Status.SEC_I_CONTEXT_EXPIRED };
    this.#closed = true;
    const data = await this.#engine.close();
    const output = data.byteLength === 0 ? [] : [{ type: Buffers.SECBUFFER_TOKEN, data }];
    return { status: Status.SEC_E_OK, output, attributes, expiry };
  }

  queryAttribute<A extends ContextAttribute>(attribute: A): Answer<ContextAttributeValues[A]> {
    return this.#facts === undefined
      ? { status: Status.SEC_E_INVALID_HANDLE }
      : answerAttribute(this.#facts, attribute);
  }

  setAttribute<A extends SettableContextAttribute>(_attribute: A, value: SettableContextAttributeValues[A]): number {
    if (this.#facts === undefined) return Status.SEC_E_INVALID_HANDLE;
    const { label, length, context } = value;
    const isContext = context === undefined || context instanceof Uint8Array;
    // RFC 5705 section 4: the labels of TLS itself are not for export.
    if (typeof label !== 'string' || label === '' || !isContext) return invalidParameter;
    if (!Number.isInteger(length) || length < 1 || length > 0x4000) return invalidParameter;
    this.#facts.keyingMaterial = { label, length, context: context && Uint8Array.from(context) };
    return Status.SEC_E_OK;
  }

  queryToken(): Answer<SecurityContextToken> {
    const value = this.#facts?.token;
    return value === undefined ? { status: Status.SEC_E_NO_IMPERSONATION } : { status: Status.SEC_E_OK, value };
  }

  encryptMessage(message: readonly SecBuffer[]): MessageAnswer | Promise<MessageAnswer> {
    if (this.#engine === undefined || this.#closed) return { status: Status.SEC_E_CONTEXT_EXPIRED };
    return encryptRecord(this.#engine, message);
  }

  decryptMessage(message: readonly SecBuffer[]): MessageAnswer | Promise<MessageAnswer> {
    if (this.#engine === undefined) return { status: Status.SEC_E_CONTEXT_EXPIRED };
    return decryptRecord(this.#engine, message);
  }

  delete(): void {
    this.#engine?.destroy();
    this.#facts = undefined;
  }
}

/** TLS cannot be without these four. INTEGRITY is not of Schannel. */
function grantedAttributes(requirements: number, verified: boolean): number {
  const always =
    Requirement.ASC_RET_CONFIDENTIALITY |
    Requirement.ASC_RET_REPLAY_DETECT |
    Requirement.ASC_RET_SEQUENCE_DETECT |
    Requirement.ASC_RET_STREAM;
  const asked = requirements & (Requirement.ASC_REQ_CONNECTION | Requirement.ASC_REQ_EXTENDED_ERROR);
  return (always | asked | (verified ? Requirement.ASC_RET_MUTUAL_AUTH : 0)) >>> 0;
}

function notTls(error: unknown): AcceptReply {
  if (!(error instanceof MalformedTokenError)) throw error;
  return {
    status: Status.SEC_E_INVALID_TOKEN,
    diagnosis: { text: reason('schannel-not-tls', { detail: error.message }) },
  };
}
