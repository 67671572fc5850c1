/** aes128-cts-hmac-sha256-128 and aes256-cts-hmac-sha384-192: RFC 8009. */
import { timingSafeEqual } from 'node:crypto';
import { hmac, writeMac } from '../hmac.ts';
import { AES_BLOCK_BYTES, AesCts } from './aes-cts.ts';
import { plainRoom } from './kerberos-key.ts';
import type { KerberosKey } from './kerberos-key.ts';

/** The last byte of the label that a key is derived with, section 5. */
const KIND_CHECKSUM = 0x99;
const KIND_ENCRYPTION = 0xaa;
const KIND_INTEGRITY = 0x55;

type Sha2 = 'sha256' | 'sha384';

/** What stands here is compared with the HMAC of a message. Between two messages it holds zeros. */
const macRoom = Buffer.alloc(24);

/** The initial vector, which the HMAC covers too. */
const zeroVector = new Uint8Array(AES_BLOCK_BYTES);

function hashOf(encryptionType: number): Sha2 {
  return encryptionType === 19 ? 'sha256' : 'sha384';
}

/**
 * KDF-HMAC-SHA2, section 3: SP 800-108 in counter mode, with one block of output.
 *
 * @param encryptionType 19 or 20
 * @param bytes of the result, at most those of the hash
 * @returns the caller wipes it
 */
export function deriveSha2Key(encryptionType: number, key: Uint8Array, label: Uint8Array, bytes: number): Uint8Array {
  const tail = new Uint8Array(5);
  new DataView(tail.buffer).setUint32(1, bytes * 8);
  const block = hmac(hashOf(encryptionType), key, Uint8Array.of(0, 0, 0, 1), label, tail);
  const derived = Uint8Array.from(block.subarray(0, bytes));
  block.fill(0);
  return derived;
}

interface UsageKeys {
  readonly cipher: AesCts;
  readonly integrity: Uint8Array;
}

export class AesSha2Key implements KerberosKey {
  readonly encryptionType: number;
  readonly value: Uint8Array;
  readonly #hash: Sha2;
  /** Bytes of the truncated HMAC, and of the keys that it is made with. */
  readonly #macBytes: number;
  /** Undefined as long as nothing is derived: most keys of clients never are used. */
  #usages: Map<number, UsageKeys> | undefined;
  #checksums: Map<number, Uint8Array> | undefined;
  /** From then on it is all zeros, which anybody could use. */
  #isWiped = false;

  /** @param value kept, and wiped by `wipe` */
  constructor(encryptionType: number, value: Uint8Array) {
    this.encryptionType = encryptionType;
    this.value = value;
    this.#hash = hashOf(encryptionType);
    this.#macBytes = encryptionType === 19 ? 16 : 24;
  }

  #derived(usage: number, kind: number, bytes: number): Uint8Array {
    if (this.#isWiped) throw new RangeError('a key that was wiped');
    const label = new Uint8Array(5);
    new DataView(label.buffer).setUint32(0, usage);
    label[4] = kind;
    return deriveSha2Key(this.encryptionType, this.value, label, bytes);
  }

  #keys(usage: number): UsageKeys {
    let keys = this.#usages?.get(usage);
    if (keys === undefined) {
      keys = {
        cipher: new AesCts(this.#derived(usage, KIND_ENCRYPTION, this.value.byteLength)),
        integrity: this.#derived(usage, KIND_INTEGRITY, this.#macBytes),
      };
      (this.#usages ??= new Map<number, UsageKeys>()).set(usage, keys);
    }
    return keys;
  }

  encrypt(usage: number, plain: Uint8Array, confounder: Uint8Array): Buffer {
    const { cipher, integrity } = this.#keys(usage);
    const sealed = cipher.encrypt(confounder, plain, this.#macBytes);
    const end = sealed.byteLength - this.#macBytes;
    writeMac(sealed, end, this.#macBytes, this.#hash, integrity, zeroVector, sealed.subarray(0, end));
    return sealed;
  }

  decrypt(usage: number, sealed: Uint8Array, room?: Uint8Array): Buffer | undefined {
    const end = sealed.byteLength - this.#macBytes;
    if (end < AES_BLOCK_BYTES) return undefined;
    const { cipher, integrity } = this.#keys(usage);
    const body = sealed.subarray(0, end);
    const expected = macRoom.subarray(0, this.#macBytes);
    writeMac(expected, 0, this.#macBytes, this.#hash, integrity, zeroVector, body);
    const isAuthentic = timingSafeEqual(expected, sealed.subarray(end));
    expected.fill(0);
    if (!isAuthentic) return undefined;
    const message = plainRoom(room, end);
    cipher.decrypt(body, message);
    return message.subarray(AES_BLOCK_BYTES);
  }

  checksum(usage: number, ...data: readonly Uint8Array[]): Buffer {
    let key = this.#checksums?.get(usage);
    if (key === undefined) {
      key = this.#derived(usage, KIND_CHECKSUM, this.#macBytes);
      (this.#checksums ??= new Map<number, Uint8Array>()).set(usage, key);
    }
    return hmac(this.#hash, key, ...data).subarray(0, this.#macBytes);
  }

  rest(): void {
    for (const { cipher, integrity } of this.#usages?.values() ?? []) {
      cipher.wipe();
      integrity.fill(0);
    }
    for (const key of this.#checksums?.values() ?? []) key.fill(0);
    this.#usages = undefined;
    this.#checksums = undefined;
  }

  wipe(): void {
    this.#isWiped = true;
    this.value.fill(0);
    this.rest();
  }
}
