/** Message protection with keys of RC4: RFC 4757 section 7, in the tokens of RFC 1964 section 1.2. */
import { timingSafeEqual } from 'node:crypto';
import { hmac } from '../../crypto/hmac.ts';
import type { KerberosKey } from '../../crypto/kerberos/kerberos-key.ts';
import { rc4 } from '../../crypto/rc4.ts';
import type { RandomSource } from '../../foundation/clock.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';
import { applicationTag, derElement, derObjectIdentifier } from '../../formats/der.ts';
import { GSS_C_REPLAY_FLAG, GSS_C_SEQUENCE_FLAG } from '../../formats/kerberos/gss-flags.ts';
import { decodeKerberosToken } from '../../formats/kerberos/kerberos-token.ts';
import { OID_KERBEROS } from '../../formats/object-identifiers.ts';
import * as Status from '../../sspi/status.ts';
import type { MessageProtection, OpenedMessage, ProtectionParameters } from './message-protection.ts';
import { SequenceWindow } from './sequence-window.ts';

const TOK_ID_MIC = 0x0101;
const TOK_ID_WRAP = 0x0201;
/** SGN_ALG HMAC, SEAL_ALG RC4 or none; four bytes, little-endian pairs, with filler. */
const MIC_ALGORITHMS = Buffer.of(0x11, 0x00, 0xff, 0xff, 0xff, 0xff);
const WRAP_ALGORITHMS = Buffer.of(0x11, 0x00, 0x10, 0x00, 0xff, 0xff);
const CLEAR_ALGORITHMS = Buffer.of(0x11, 0x00, 0xff, 0xff, 0xff, 0xff);
/** Key usages as Microsoft numbers them. */
const USAGE_MIC = 15;
const USAGE_WRAP = 13;
const CHECKSUM_BYTES = 8;
const CONFOUNDER_BYTES = 8;
/** TOK_ID and algorithms, SND_SEQ, SGN_CKSUM. */
const HEADER_BYTES = 24;

const mechanism = derObjectIdentifier(OID_KERBEROS);
const zeroSalt = new Uint8Array(4);
const altered: OpenedMessage = Object.freeze({ status: Status.SEC_E_MESSAGE_ALTERED });

export class Rc4Protection implements MessageProtection {
  readonly #key: KerberosKey;
  readonly #acceptorKey: KerberosKey | undefined;
  readonly #random: RandomSource;
  readonly #received: SequenceWindow;
  #sendSequence: number;

  constructor({ initiatorKey, acceptorKey, flags, sendSequence, receiveSequence, random }: ProtectionParameters) {
    this.#key = initiatorKey;
    this.#acceptorKey = acceptorKey;
    this.#random = random;
    this.#sendSequence = sendSequence;
    this.#received = new SequenceWindow(receiveSequence, 32, {
      replay: (flags & GSS_C_REPLAY_FLAG) !== 0,
      order: (flags & GSS_C_SEQUENCE_FLAG) !== 0,
    });
  }

  get sessionKey(): Uint8Array {
    return this.#key.value;
  }

  sign(data: Uint8Array): Uint8Array {
    const checksum = this.#key.checksum(USAGE_MIC, tokenStart(TOK_ID_MIC, MIC_ALGORITHMS), data);
    const signed = checksum.subarray(0, CHECKSUM_BYTES);
    return framed(TOK_ID_MIC, MIC_ALGORITHMS, this.#sealedNumber(signed), signed);
  }

  verify(data: Uint8Array, token: Uint8Array): number {
    const message = contentOf(token, TOK_ID_MIC);
    if (message?.byteLength !== HEADER_BYTES - 2 || !startsWith(message, MIC_ALGORITHMS)) {
      return Status.SEC_E_MESSAGE_ALTERED;
    }
    const checksum = this.#key.checksum(USAGE_MIC, tokenStart(TOK_ID_MIC, MIC_ALGORITHMS), data);
    return this.#verify(message, checksum);
  }

  seal(data: Uint8Array): Uint8Array {
    // Section 7.3: a stream cipher needs one byte of padding all the same.
    const plain = Buffer.concat([this.#random(CONFOUNDER_BYTES), data, Uint8Array.of(1)]);
    const checksum = this.#key.checksum(USAGE_WRAP, tokenStart(TOK_ID_WRAP, WRAP_ALGORITHMS), plain);
    const signed = checksum.subarray(0, CHECKSUM_BYTES);
    const number = this.#sendSequence;
    const sealed = this.#crypt(number, plain);
    plain.fill(0);
    return framed(TOK_ID_WRAP, WRAP_ALGORITHMS, this.#sealedNumber(signed), signed, sealed);
  }

  open(token: Uint8Array): OpenedMessage {
    const message = contentOf(token, TOK_ID_WRAP);
    if (message === undefined || message.byteLength < HEADER_BYTES - 2 + CONFOUNDER_BYTES + 1) return altered;
    const isSealed = startsWith(message, WRAP_ALGORITHMS);
    if (!isSealed && !startsWith(message, CLEAR_ALGORITHMS)) return altered;
    const number = this.#number(message);
    const body = message.subarray(HEADER_BYTES - 2);
    const plain = isSealed ? this.#crypt(number.sequence, body) : body;
    const algorithms = isSealed ? WRAP_ALGORITHMS : CLEAR_ALGORITHMS;
    const checksum = this.#key.checksum(USAGE_WRAP, tokenStart(TOK_ID_WRAP, algorithms), plain);
    const status = this.#verify(message, checksum);
    // The padding is covered by the checksum.
    const padding = plain[plain.byteLength - 1] ?? 0;
    if (status !== Status.SEC_E_OK) return { status };
    if (!isSealed || padding > plain.byteLength - CONFOUNDER_BYTES) return altered;
    return { status, data: Buffer.from(plain.subarray(CONFOUNDER_BYTES, plain.byteLength - padding)) };
  }

  /** Verifies SGN_CKSUM, then direction and number. @param message without TOK_ID */
  #verify(message: Uint8Array, expected: Uint8Array): number {
    const checksum = message.subarray(HEADER_BYTES - 2 - CHECKSUM_BYTES, HEADER_BYTES - 2);
    if (!timingSafeEqual(checksum, expected.subarray(0, CHECKSUM_BYTES))) return Status.SEC_E_MESSAGE_ALTERED;
    const { sequence, isOfInitiator } = this.#number(message);
    if (!isOfInitiator) return Status.SEC_E_MESSAGE_ALTERED;
    return this.#received.take(BigInt(sequence)) ? Status.SEC_E_OK : Status.SEC_E_OUT_OF_SEQUENCE;
  }

  /** SND_SEQ with the next number; the bytes of the acceptor's direction are 0xff. */
  #sealedNumber(checksum: Uint8Array): Uint8Array {
    const plain = Buffer.alloc(8, 0xff);
    plain.writeUInt32BE(this.#sendSequence, 0);
    this.#sendSequence = (this.#sendSequence + 1) >>> 0;
    return this.#cryptNumber(plain, checksum);
  }

  #number(message: Uint8Array): { readonly sequence: number; readonly isOfInitiator: boolean } {
    const checksum = message.subarray(HEADER_BYTES - 2 - CHECKSUM_BYTES, HEADER_BYTES - 2);
    const plain = Buffer.from(this.#cryptNumber(message.subarray(6, 14), checksum));
    return { sequence: plain.readUInt32BE(0), isOfInitiator: plain.readUInt32BE(4) === 0 };
  }

  #cryptNumber(bytes: Uint8Array, checksum: Uint8Array): Uint8Array {
    return twiceDerived(this.#key.value, checksum, (key) => rc4(key, bytes));
  }

  #crypt(sequence: number, bytes: Uint8Array): Uint8Array {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(sequence);
    const local = this.#key.value.map((byte) => byte ^ 0xf0);
    try {
      return twiceDerived(local, number, (key) => rc4(key, bytes));
    } finally {
      local.fill(0);
    }
  }

  wipe(): void {
    this.#key.wipe();
    this.#acceptorKey?.wipe();
  }
}

/** HMAC of zero and then of a salt, for one use. */
function twiceDerived<T>(key: Uint8Array, salt: Uint8Array, use: (derived: Uint8Array) => T): T {
  const first = hmac('md5', key, zeroSalt);
  const second = hmac('md5', first, salt);
  try {
    return use(second);
  } finally {
    first.fill(0);
    second.fill(0);
  }
}

/** TOK_ID and algorithms: what a checksum covers of the token. */
function tokenStart(tokenId: number, algorithms: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(tokenId >> 8, tokenId & 0xff), algorithms]);
}

function framed(tokenId: number, algorithms: Uint8Array, ...rest: readonly Uint8Array[]): Uint8Array {
  return derElement(applicationTag(0), mechanism, tokenStart(tokenId, algorithms), ...rest);
}

/** What follows TOK_ID; undefined if the token is of another kind. */
function contentOf(token: Uint8Array, tokenId: number): Uint8Array | undefined {
  try {
    const decoded = decodeKerberosToken(token);
    return decoded.mechanism === OID_KERBEROS && decoded.tokenId === tokenId ? decoded.message : undefined;
  } catch (error) {
    if (error instanceof MalformedTokenError) return undefined;
    throw error;
  }
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}
