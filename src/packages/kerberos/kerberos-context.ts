/** An established Kerberos context: its attributes and message protection. */
import { GSS_C_CONF_FLAG, GSS_C_INTEG_FLAG } from '../../formats/kerberos/gss-flags.ts';
import { answerKerberosAttribute } from '../../kerberos/context-attributes.ts';
import type { KerberosFacts } from '../../kerberos/context-attributes.ts';
import type { DelegatedCache } from '../../kerberos/delegation/delegated-caches.ts';
import { joined, sealedBuffers, signedBuffers } from '../../kerberos/message-buffers.ts';
import { portableKerberosPackageInfo } from '../../kerberos/package-info.ts';
import type { ContextAttribute, ContextAttributeValues } from '../../sspi/attributes.ts';
import { findBuffer, SECBUFFER_DATA, SECBUFFER_STREAM, SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { AcceptReply, Answer, PackageContext } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import type { MessageProtection } from './message-protection.ts';

/** The data of a context, from the call that accepted it. */
export interface PortableFacts extends KerberosFacts {
  /** GSS_C_* bits. */
  readonly flags: number;
  readonly protection: MessageProtection;
  readonly delegated: DelegatedCache | undefined;
}

const failed = (status: number): { readonly status: number } => ({ status });

export class PortableKerberosContext implements PackageContext {
  readonly #facts: PortableFacts;

  constructor(facts: PortableFacts) {
    this.#facts = facts;
  }

  get keepAfterHandshake(): boolean {
    return this.#facts.delegated !== undefined;
  }

  get delegatedCredentials(): DelegatedCache | undefined {
    return this.#facts.delegated;
  }

  /** Refuses any further token: Kerberos has one leg only. */
  accept(): AcceptReply {
    return {
      status: Status.SEC_E_INVALID_TOKEN,
      diagnosis: { text: 'a token after the Kerberos context was established' },
    };
  }

  queryToken(): Answer<SecurityContextToken> {
    return { status: Status.SEC_E_OK, value: this.#facts.token };
  }

  queryAttribute<A extends ContextAttribute>(attribute: A): Answer<ContextAttributeValues[A]> {
    const { protection } = this.#facts;
    const sessionKey = (): Uint8Array => Buffer.from(protection.sessionKey);
    return answerKerberosAttribute(this.#facts, attribute, sessionKey, portableKerberosPackageInfo);
  }

  /** GSS_GetMIC over the DATA buffers. */
  makeSignature(message: readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    if (!this.#has(GSS_C_INTEG_FLAG)) return failed(Status.SEC_E_QOP_NOT_SUPPORTED);
    const data = this.#facts.protection.sign(joined(message, signedBuffers));
    return { status: Status.SEC_E_OK, value: [{ type: SECBUFFER_TOKEN, data }] };
  }

  /** GSS_VerifyMIC of the TOKEN buffer over the DATA buffers. */
  verifySignature(message: readonly SecBuffer[]): Answer<number> {
    const token = findBuffer(message, SECBUFFER_TOKEN);
    if (token === undefined || token.data.byteLength === 0) return failed(Status.SEC_E_INVALID_TOKEN);
    if (!this.#has(GSS_C_INTEG_FLAG)) return failed(Status.SEC_E_QOP_NOT_SUPPORTED);
    const status = this.#facts.protection.verify(joined(message, signedBuffers), token.data);
    return status === Status.SEC_E_OK ? { status, value: 0 } : { status };
  }

  /**
   * GSS_Wrap with confidentiality. The wrap token is split into two buffers, as Windows splits it. DATA has its last
   * bytes, as many as the message has; TOKEN has the bytes before them.
   */
  encryptMessage(message: readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    if (!this.#has(GSS_C_CONF_FLAG)) return failed(Status.SEC_E_QOP_NOT_SUPPORTED);
    const data = joined(message, sealedBuffers);
    const token = this.#facts.protection.seal(data);
    const split = token.byteLength - data.byteLength;
    return {
      status: Status.SEC_E_OK,
      value: [
        { type: SECBUFFER_TOKEN, data: token.subarray(0, split) },
        { type: SECBUFFER_DATA, data: token.subarray(split) },
      ],
    };
  }

  /** GSS_Unwrap of TOKEN and DATA, or of one STREAM buffer. A message that was not encrypted is refused. */
  decryptMessage(message: readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    if (!this.#has(GSS_C_CONF_FLAG)) return failed(Status.SEC_E_QOP_NOT_SUPPORTED);
    const stream = findBuffer(message, SECBUFFER_STREAM)?.data;
    const sealed = stream ?? joined(message, (type) => type === SECBUFFER_TOKEN || type === SECBUFFER_DATA);
    if (sealed.byteLength === 0) return failed(Status.SEC_E_INVALID_TOKEN);
    const { status, data } = this.#facts.protection.open(sealed);
    return data === undefined ? { status } : { status, value: [{ type: SECBUFFER_DATA, data }] };
  }

  #has(flag: number): boolean {
    return (this.#facts.flags & flag) !== 0;
  }

  delete(): void {
    this.#facts.protection.wipe();
    this.#facts.delegated?.destroy();
  }
}
