/** An established Kerberos context: its attributes and message protection. */
import { rotateWrapToken } from '../../formats/kerberos/wrap-token.ts';
import { reason } from '../../identity/reasons/reason.ts';
import {
  SECPKG_ATTR_FLAGS,
  SECPKG_ATTR_LIFESPAN,
  SECPKG_ATTR_NAMES,
  SECPKG_ATTR_NATIVE_NAMES,
  SECPKG_ATTR_NEGOTIATION_INFO,
  SECPKG_ATTR_PACKAGE_INFO,
  SECPKG_ATTR_SESSION_KEY,
  SECPKG_ATTR_SIZES,
  SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
  SECPKG_NEGOTIATION_COMPLETE,
} from '../../sspi/attributes.ts';
import type { ContextAttribute, ContextAttributeValues, ContextSizes } from '../../sspi/attributes.ts';
import {
  findBuffer,
  SECBUFFER_DATA,
  SECBUFFER_READONLY,
  SECBUFFER_READONLY_WITH_CHECKSUM,
  SECBUFFER_STREAM,
  SECBUFFER_TOKEN,
  SECBUFFER_TYPE_MASK,
} from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { AcceptReply, Answer, PackageContext } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import type { DelegatedCache } from './delegation/delegated-caches.ts';
import type { Frame } from './call/frame.ts';
import { GSS_C_CONF_FLAG, GSS_C_INTEG_FLAG, GSS_S_COMPLETE, messageStatus } from './call/gss-status.ts';
import { kerberosPackageInfo } from './package-info.ts';
import { sessionKey } from './call/session-key.ts';

/** The data of a context, from the call that accepted it. */
export interface EstablishedKerberos {
  /** gss_ctx_id_t. */
  readonly handle: bigint;
  /** GSS_C_* bits. */
  readonly flags: number;
  /** ASC_RET_* bits. */
  readonly attributes: number;
  readonly token: SecurityContextToken;
  /** `user@REALM`. */
  readonly client: string;
  /** The principal whose key decrypted the ticket: `HTTP/host@REALM`. The name in the ticket itself is not encrypted. */
  readonly service: string;
  /** Encryption type of the ticket's session key. */
  readonly encryptionType: number;
  /** When the context was accepted, in milliseconds since 1970-01-01 UTC. */
  readonly start: number;
  readonly expiry: Date | undefined;
  readonly delegated: DelegatedCache | undefined;
}

type AnswerOf<A extends ContextAttribute> = Answer<ContextAttributeValues[A]>;

const ok = <T>(value: T): Answer<T> => ({ status: Status.SEC_E_OK, value });
const failed = (status: number): { readonly status: number } => ({ status });

export class KerberosContext implements PackageContext {
  readonly #frame: Frame;
  readonly #established: EstablishedKerberos;

  /** @param frame frame for calls on the JavaScript thread. Contexts share it, because such calls never overlap */
  constructor(frame: Frame, established: EstablishedKerberos) {
    this.#frame = frame;
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
    return this.#query(attribute) as AnswerOf<A>;
  }

  #query(attribute: ContextAttribute): Answer<ContextAttributeValues[ContextAttribute]> {
    const { client, service, start, expiry, attributes, token } = this.#established;
    switch (attribute) {
      case SECPKG_ATTR_SIZES:
        return ok(contextSizes(this.#established.encryptionType));
      case SECPKG_ATTR_NAMES:
        return ok(token.domain === undefined ? client : `${token.domain}\\${token.userName}`);
      case SECPKG_ATTR_LIFESPAN:
        return ok({ start: new Date(start), expiry });
      case SECPKG_ATTR_SESSION_KEY: {
        const key = sessionKey(this.#frame, this.#established.handle);
        return key === undefined ? failed(Status.SEC_E_UNSUPPORTED_FUNCTION) : ok(key);
      }
      case SECPKG_ATTR_PACKAGE_INFO:
        return ok(kerberosPackageInfo);
      case SECPKG_ATTR_NEGOTIATION_INFO:
        return ok({ package: kerberosPackageInfo, state: SECPKG_NEGOTIATION_COMPLETE });
      case SECPKG_ATTR_NATIVE_NAMES:
        return ok({ client, server: service });
      case SECPKG_ATTR_FLAGS:
        return ok(attributes);
      case SECPKG_ATTR_CLIENT_SPECIFIED_TARGET:
        return ok(service);
      default:
        return failed(Status.SEC_E_UNSUPPORTED_FUNCTION);
    }
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

/** Whether a buffer is signed: all DATA buffers except those with SECBUFFER_READONLY. */
function signedBuffers(type: number, flags: number): boolean {
  return type === SECBUFFER_DATA && (flags & SECBUFFER_READONLY) === 0;
}

/**
 * Whether a buffer is encrypted. gss_wrap cannot sign data without encrypting it, so both READONLY flags exclude a
 * buffer.
 */
function sealedBuffers(type: number, flags: number): boolean {
  return type === SECBUFFER_DATA && (flags & (SECBUFFER_READONLY | SECBUFFER_READONLY_WITH_CHECKSUM)) === 0;
}

function joined(message: readonly SecBuffer[], wanted: (type: number, flags: number) => boolean): Uint8Array {
  const parts = message.filter(({ type }) => wanted(type & SECBUFFER_TYPE_MASK, type & ~SECBUFFER_TYPE_MASK));
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first.data : Buffer.concat(parts.map(({ data }) => data));
}

/** Size of the checksum of each encryption type, in bytes: RFC 3962, RFC 8009, RFC 6803. */
const checksumBytes: ReadonlyMap<number, number> = new Map([
  [17, 12],
  [18, 12],
  [19, 16],
  [20, 24],
  [25, 16],
  [26, 16],
]);

const MAX_TOKEN = kerberosPackageInfo.maxToken;

/** Sizes in bytes: RFC 4121 section 4.2. The tokens of RC4 are those of RFC 4757 section 7. */
function contextSizes(encryptionType: number): ContextSizes {
  const checksum = checksumBytes.get(encryptionType);
  // Trailer: header 16, confounder 16, encrypted copy of the header 16. RC4: framing 13, token 32, padding up to 8.
  return checksum === undefined
    ? { maxToken: MAX_TOKEN, maxSignature: 37, blockSize: 8, securityTrailer: 53 }
    : { maxToken: MAX_TOKEN, maxSignature: 16 + checksum, blockSize: 1, securityTrailer: 48 + checksum };
}
