/** Message protection with the keys of AES: RFC 4121 section 4.2. All numbers are big-endian. */
import { timingSafeEqual } from 'node:crypto';
import {
  encryptionProfile,
  KEY_USAGE_ACCEPTOR_SEAL,
  KEY_USAGE_ACCEPTOR_SIGN,
  KEY_USAGE_INITIATOR_SEAL,
  KEY_USAGE_INITIATOR_SIGN,
} from '../../crypto/kerberos/kerberos-key.ts';
import type { KerberosKey } from '../../crypto/kerberos/kerberos-key.ts';
import type { RandomSource } from '../../foundation/clock.ts';
import { GSS_C_REPLAY_FLAG, GSS_C_SEQUENCE_FLAG } from '../../formats/kerberos/gss-flags.ts';
import { rotateWrapToken } from '../../formats/kerberos/wrap-token.ts';
import * as Status from '../../sspi/status.ts';
import type { MessageProtection, OpenedMessage, ProtectionParameters } from './message-protection.ts';
import { SequenceWindow } from './sequence-window.ts';

const HEADER_BYTES = 16;
const TOK_ID_MIC = 0x0404;
const TOK_ID_WRAP = 0x0504;
const SENT_BY_ACCEPTOR = 0x01;
const SEALED = 0x02;
const ACCEPTOR_SUBKEY = 0x04;
const FILLER = 0xff;

const altered: OpenedMessage = Object.freeze({ status: Status.SEC_E_MESSAGE_ALTERED });

export class CfxProtection implements MessageProtection {
  readonly #initiatorKey: KerberosKey;
  readonly #acceptorKey: KerberosKey | undefined;
  readonly #random: RandomSource;
  readonly #received: SequenceWindow;
  #sendSequence: bigint;

  constructor({ initiatorKey, acceptorKey, flags, sendSequence, receiveSequence, random }: ProtectionParameters) {
    this.#initiatorKey = initiatorKey;
    this.#acceptorKey = acceptorKey;
    this.#random = random;
    this.#sendSequence = BigInt(sendSequence);
    this.#received = new SequenceWindow(receiveSequence, 64, {
      replay: (flags & GSS_C_REPLAY_FLAG) !== 0,
      order: (flags & GSS_C_SEQUENCE_FLAG) !== 0,
    });
  }

  /** The key of messages that are sent. */
  get #ownKey(): KerberosKey {
    return this.#acceptorKey ?? this.#initiatorKey;
  }

  get sessionKey(): Uint8Array {
    return this.#ownKey.value;
  }

  /** The key that a received message names. */
  #keyOf(flags: number): KerberosKey {
    return (flags & ACCEPTOR_SUBKEY) !== 0 ? this.#ownKey : this.#initiatorKey;
  }

  /** Section 4.2.6: a header with the next number. @param middle EC and RRC, or four bytes of filler */
  #header(tokenId: number, flags: number, middle: number): Buffer {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt16BE(tokenId, 0);
    header[2] = flags | SENT_BY_ACCEPTOR | (this.#acceptorKey === undefined ? 0 : ACCEPTOR_SUBKEY);
    header[3] = FILLER;
    header.writeUInt32BE(middle, 4);
    header.writeBigUInt64BE(this.#sendSequence, 8);
    this.#sendSequence = (this.#sendSequence + 1n) & 0xffff_ffff_ffff_ffffn;
    return header;
  }

  sign(data: Uint8Array): Uint8Array {
    const header = this.#header(TOK_ID_MIC, 0, 0xffffffff);
    return Buffer.concat([header, this.#ownKey.checksum(KEY_USAGE_ACCEPTOR_SIGN, data, header)]);
  }

  verify(data: Uint8Array, token: Uint8Array): number {
    const header = headerOf(token);
    if (header?.tokenId !== TOK_ID_MIC || header.middle !== 0xffffffff) return Status.SEC_E_MESSAGE_ALTERED;
    const expected = this.#keyOf(header.flags).checksum(KEY_USAGE_INITIATOR_SIGN, data, header.bytes);
    return isSame(token.subarray(HEADER_BYTES), expected) ? this.#take(header.sequence) : Status.SEC_E_MESSAGE_ALTERED;
  }

  seal(data: Uint8Array): Uint8Array {
    const header = this.#header(TOK_ID_WRAP, SEALED, 0);
    const key = this.#ownKey;
    const plain = Buffer.concat([data, header]);
    const confounder = this.#random(encryptionProfile(key.encryptionType)?.confounderBytes ?? HEADER_BYTES);
    const sealed = key.encrypt(KEY_USAGE_ACCEPTOR_SEAL, plain, confounder);
    plain.fill(0);
    return rotateWrapToken(Buffer.concat([header, sealed]), data.byteLength);
  }

  open(token: Uint8Array): OpenedMessage {
    const header = headerOf(token);
    if (header?.tokenId !== TOK_ID_WRAP) return altered;
    const extra = header.middle >>> 16;
    const body = rotatedLeft(token.subarray(HEADER_BYTES), header.middle & 0xffff);
    const key = this.#keyOf(header.flags);
    if ((header.flags & SEALED) === 0) {
      // It counts as received if it is genuine, so that the next one is the next. But it was in the clear.
      const size = encryptionProfile(key.encryptionType)?.checksumBytes ?? 0;
      if (extra === size && body.byteLength >= size && this.#verifiesClear(key, header.bytes, body, size)) {
        this.#take(header.sequence);
      }
      return altered;
    }
    const plain = key.decrypt(KEY_USAGE_INITIATOR_SEAL, body);
    if (plain === undefined) return altered;
    const end = plain.byteLength - HEADER_BYTES;
    // Section 4.2.4: behind the message stand EC bytes of filler and the header, without RRC.
    const inner = headerOf(plain.subarray(Math.max(end, 0)));
    const isSameHeader =
      inner?.tokenId === TOK_ID_WRAP &&
      inner.flags === header.flags &&
      inner.middle >>> 16 === extra &&
      inner.sequence === header.sequence;
    if (!isSameHeader || end < extra) return altered;
    const status = this.#take(header.sequence);
    return status === Status.SEC_E_OK ? { status, data: plain.subarray(0, end - extra) } : { status };
  }

  /** Section 4.2.4: the checksum of a message in the clear covers a header whose EC and RRC are zero. */
  #verifiesClear(key: KerberosKey, header: Uint8Array, body: Uint8Array, size: number): boolean {
    const covered = Buffer.from(header);
    covered.fill(0, 4, 8);
    const data = body.subarray(0, body.byteLength - size);
    return isSame(body.subarray(data.byteLength), key.checksum(KEY_USAGE_INITIATOR_SEAL, data, covered));
  }

  #take(sequence: bigint): number {
    return this.#received.take(sequence) ? Status.SEC_E_OK : Status.SEC_E_OUT_OF_SEQUENCE;
  }

  wipe(): void {
    this.#initiatorKey.wipe();
    this.#acceptorKey?.wipe();
  }
}

interface Header {
  readonly bytes: Uint8Array;
  readonly tokenId: number;
  readonly flags: number;
  /** EC and RRC, or filler. */
  readonly middle: number;
  readonly sequence: bigint;
}

/** Reads a header that a client has made; undefined for anything else. */
function headerOf(token: Uint8Array): Header | undefined {
  if (token.byteLength < HEADER_BYTES) return undefined;
  const view = new DataView(token.buffer, token.byteOffset, HEADER_BYTES);
  const flags = view.getUint8(2);
  if (view.getUint8(3) !== FILLER || (flags & SENT_BY_ACCEPTOR) !== 0) return undefined;
  return {
    bytes: token.subarray(0, HEADER_BYTES),
    tokenId: view.getUint16(0),
    flags,
    middle: view.getUint32(4),
    sequence: view.getBigUint64(8),
  };
}

/** Section 4.2.5: undoes a rotation to the right. */
function rotatedLeft(body: Uint8Array, count: number): Uint8Array {
  const by = body.byteLength === 0 ? 0 : count % body.byteLength;
  return by === 0 ? body : Buffer.concat([body.subarray(by), body.subarray(0, by)]);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
