/**
 * Signing and sealing of an established NTLM context with extended session security, MS-NLMP section 3.4, server side.
 *
 * Each direction has its own keys, its own RC4 stream and its own sequence number, which starts at 0. A message that
 * does not verify changes neither stream nor number, so that a forged message cannot spoil the genuine one after it.
 */
import { timingSafeEqual } from 'node:crypto';
import { hmac } from '../../crypto/hmac.ts';
import { sealingKey, signingKey } from '../../crypto/ntlm-keys.ts';
import { Rc4 } from '../../crypto/rc4.ts';
import {
  NTLMSSP_NEGOTIATE_128,
  NTLMSSP_NEGOTIATE_56,
  NTLMSSP_NEGOTIATE_KEY_EXCH,
  NTLMSSP_NEGOTIATE_SEAL,
  NTLMSSP_NEGOTIATE_SIGN,
} from '../../formats/ntlm/negotiate-flags.ts';
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
import type { Answer } from '../../sspi/security-package.ts';
import {
  SEC_E_INVALID_TOKEN,
  SEC_E_MESSAGE_ALTERED,
  SEC_E_OK,
  SEC_E_OUT_OF_SEQUENCE,
  SEC_E_QOP_NOT_SUPPORTED,
} from '../../sspi/status.ts';

/** Bytes of NTLMSSP_MESSAGE_SIGNATURE, section 2.2.2.9.1. */
export const SIGNATURE_BYTES = 16;
const CHECKSUM_BYTES = 8;

/** Keys and state of one direction. */
class Direction {
  readonly #signKey: Uint8Array;
  readonly #sealKey: Uint8Array;
  cipher: Rc4;
  /** Number of the next message, modulo 2^32. */
  sequence = 0;

  constructor(signKey: Uint8Array, sealKey: Uint8Array) {
    this.#signKey = signKey;
    this.#sealKey = sealKey;
    this.cipher = new Rc4(sealKey);
  }

  /** The first eight bytes of HMAC_MD5(SigningKey, SeqNum, Message). */
  checksum(message: readonly Uint8Array[]): Uint8Array {
    return hmac('md5', this.#signKey, littleEndian(this.sequence), ...message).subarray(0, CHECKSUM_BYTES);
  }

  advance(): void {
    this.sequence = (this.sequence + 1) >>> 0;
  }

  resetCipher(): void {
    this.cipher.wipe();
    this.cipher = new Rc4(this.#sealKey);
  }

  wipe(): void {
    this.#signKey.fill(0);
    this.#sealKey.fill(0);
    this.cipher.wipe();
  }
}

export class NtlmMessageSecurity {
  readonly #outgoing: Direction;
  readonly #incoming: Direction;
  readonly #integrity: boolean;
  readonly #confidentiality: boolean;
  /** Section 3.4.4.2: the checksum itself is encrypted only if a key was exchanged. */
  readonly #encryptsChecksum: boolean;

  /**
   * @param exportedSessionKey 16 bytes; not kept
   * @param flags what both sides agreed on
   */
  constructor(exportedSessionKey: Uint8Array, flags: number) {
    const bits = (flags & NTLMSSP_NEGOTIATE_128) !== 0 ? 128 : (flags & NTLMSSP_NEGOTIATE_56) !== 0 ? 56 : 40;
    const direction = (sender: 'client' | 'server'): Direction =>
      new Direction(signingKey(exportedSessionKey, sender), sealingKey(exportedSessionKey, sender, bits));
    this.#outgoing = direction('server');
    this.#incoming = direction('client');
    this.#confidentiality = (flags & NTLMSSP_NEGOTIATE_SEAL) !== 0;
    // Section 2.2.2.5: sealing includes signing, so a context that only seals can also sign.
    this.#integrity = this.#confidentiality || (flags & NTLMSSP_NEGOTIATE_SIGN) !== 0;
    this.#encryptsChecksum = (flags & NTLMSSP_NEGOTIATE_KEY_EXCH) !== 0;
  }

  /** MakeSignature: see PackageContext. */
  makeSignature(message: readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    if (!this.#integrity) return { status: SEC_E_QOP_NOT_SUPPORTED };
    const token = this.#sign(this.#outgoing.checksum(signedParts(message)));
    return { status: SEC_E_OK, value: [token] };
  }

  /** VerifySignature: see PackageContext. */
  verifySignature(message: readonly SecBuffer[]): Answer<number> {
    if (!this.#integrity) return { status: SEC_E_QOP_NOT_SUPPORTED };
    const token = findBuffer(message, SECBUFFER_TOKEN)?.data;
    const cipher = this.#incoming.cipher.copy();
    const status = this.#check(token, cipher, () => signedParts(message));
    return status === SEC_E_OK ? { status, value: 0 } : { status };
  }

  /**
   * EncryptMessage: see PackageContext. The output is the signature, then the DATA buffers in their order, encrypted.
   */
  encryptMessage(message: readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    if (!this.#confidentiality) return { status: SEC_E_QOP_NOT_SUPPORTED };
    const checksum = this.#outgoing.checksum(signedParts(message));
    // Section 3.4.3: the stream runs over the data first, then over the checksum.
    const sealed = dataBuffers(message).map((buffer) => this.#crypt(this.#outgoing.cipher, buffer));
    return { status: SEC_E_OK, value: [this.#sign(checksum), ...sealed] };
  }

  /** DecryptMessage: see PackageContext. A STREAM buffer is a signature, followed by the encrypted data. */
  decryptMessage(message: readonly SecBuffer[]): Answer<readonly SecBuffer[]> {
    if (!this.#confidentiality) return { status: SEC_E_QOP_NOT_SUPPORTED };
    const whole = findBuffer(message, SECBUFFER_STREAM)?.data;
    const token = whole === undefined ? findBuffer(message, SECBUFFER_TOKEN)?.data : whole.subarray(0, SIGNATURE_BYTES);
    const sealed =
      whole === undefined
        ? dataBuffers(message)
        : [{ type: SECBUFFER_DATA, data: whole.subarray(Math.min(SIGNATURE_BYTES, whole.byteLength)) }];
    const cipher = this.#incoming.cipher.copy();
    let opened: readonly SecBuffer[] = [];
    const status = this.#check(token, cipher, () => {
      opened = sealed.map((buffer) => this.#crypt(cipher, buffer));
      return signedParts(opened);
    });
    return status === SEC_E_OK ? { status, value: opened } : { status };
  }

  /**
   * Resets both RC4 streams to their start, for Negotiate: by MS-SPNG section 3.2.5.1 a mechListMIC does not advance
   * the streams that protect messages. The sequence numbers are not reset.
   */
  resetCiphers(): void {
    this.#outgoing.resetCipher();
    this.#incoming.resetCipher();
  }

  /** Wipes every key. */
  wipe(): void {
    this.#outgoing.wipe();
    this.#incoming.wipe();
  }

  #crypt(cipher: Rc4, buffer: SecBuffer): SecBuffer {
    const readOnly = (buffer.type & (SECBUFFER_READONLY | SECBUFFER_READONLY_WITH_CHECKSUM)) !== 0;
    return { type: buffer.type, data: readOnly ? new Uint8Array(buffer.data) : cipher.update(buffer.data) };
  }

  /** NTLMSSP_MESSAGE_SIGNATURE with extended session security, section 2.2.2.9.2, for the next outgoing message. */
  #sign(checksum: Uint8Array): SecBuffer {
    const signature = new Uint8Array(SIGNATURE_BYTES);
    const view = new DataView(signature.buffer);
    view.setUint32(0, 1, true);
    signature.set(this.#encryptsChecksum ? this.#outgoing.cipher.update(checksum) : checksum, 4);
    view.setUint32(12, this.#outgoing.sequence, true);
    this.#outgoing.advance();
    return { type: SECBUFFER_TOKEN, data: signature };
  }

  /**
   * Checks the signature of the next incoming message.
   *
   * @param cipher a copy of the incoming stream; it replaces that stream only if the signature verifies
   * @param open gives the bytes that were signed; may advance `cipher`
   */
  #check(signature: Uint8Array | undefined, cipher: Rc4, open: () => readonly Uint8Array[]): number {
    if (signature?.byteLength !== SIGNATURE_BYTES) return SEC_E_INVALID_TOKEN;
    const view = new DataView(signature.buffer, signature.byteOffset, SIGNATURE_BYTES);
    if (view.getUint32(0, true) !== 1) return SEC_E_MESSAGE_ALTERED;
    if (view.getUint32(12, true) !== this.#incoming.sequence) return SEC_E_OUT_OF_SEQUENCE;
    const expected = this.#incoming.checksum(open());
    const checksum = this.#encryptsChecksum ? cipher.update(expected) : expected;
    if (!timingSafeEqual(checksum, signature.subarray(4, 4 + CHECKSUM_BYTES))) {
      cipher.wipe();
      return SEC_E_MESSAGE_ALTERED;
    }
    this.#incoming.cipher.wipe();
    this.#incoming.cipher = cipher;
    this.#incoming.advance();
    return SEC_E_OK;
  }
}

function dataBuffers(message: readonly SecBuffer[]): readonly SecBuffer[] {
  return message.filter(({ type }) => (type & SECBUFFER_TYPE_MASK) === SECBUFFER_DATA);
}

/** What a signature covers: every DATA buffer except those that are read-only without a checksum. */
function signedParts(message: readonly SecBuffer[]): readonly Uint8Array[] {
  return dataBuffers(message)
    .filter(({ type }) => (type & SECBUFFER_READONLY) === 0)
    .map(({ data }) => data);
}

function littleEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
