/** aes128-cts-hmac-sha1-96 and aes256-cts-hmac-sha1-96: RFC 3962, with the simplified profile of RFC 3961 section 5. */
import { createCipheriv, timingSafeEqual } from 'node:crypto';
import { hmac, writeMac } from '../hmac.ts';
import { AES_BLOCK_BYTES, AesCts } from './aes-cts.ts';
import { KEY_USAGE_AP_REP, KEY_USAGE_AUTHENTICATOR, plainRoom } from './kerberos-key.ts';
import type { KerberosKey } from './kerberos-key.ts';
import { nFold } from './n-fold.ts';

type Encryption = ReturnType<typeof createCipheriv>;

/** Bytes of the truncated HMAC. */
const MAC_BYTES = 12;
/** What stands here is compared with the HMAC of a message. Between two messages it holds zeros. */
const expected = Buffer.alloc(MAC_BYTES);
const nothing = new Uint8Array(0);

/** The last byte of the constant that a key is derived with, RFC 3961 section 5.3. */
const KIND_CHECKSUM = 0x99;
const KIND_ENCRYPTION = 0xaa;
const KIND_INTEGRITY = 0x55;

/** Folded constants by what they are for: they are the same for all keys. */
const constants = new Map<number, Uint8Array>();

/** The constants of usages and kinds, one block each. @param name of all of them, in `constants` */
function usageConstants(name: number, usages: readonly number[], kinds: readonly number[]): Uint8Array {
  let folded = constants.get(name);
  if (folded === undefined) {
    const blocks = usages.flatMap((usage) =>
      kinds.map((kind) => {
        const constant = new Uint8Array(5);
        new DataView(constant.buffer).setUint32(0, usage);
        constant[4] = kind;
        return nFold(constant, AES_BLOCK_BYTES);
      }),
    );
    folded = Buffer.concat(blocks);
    constants.set(name, folded);
  }
  return folded;
}

const cipherKinds = [KIND_ENCRYPTION, KIND_INTEGRITY];
/** A session key is used for both, so their keys are made together: each call of a cipher object has its price. */
const exchangeUsages = [KEY_USAGE_AUTHENTICATOR, KEY_USAGE_AP_REP];

/** Encrypts blocks on their own. */
function blockCipher(key: Uint8Array): Encryption {
  return createCipheriv(key.byteLength === AES_BLOCK_BYTES ? 'aes-128-ecb' : 'aes-256-ecb', key, null).setAutoPadding(
    false,
  );
}

/**
 * Keys from constants that follow each other, one block each.
 *
 * @param keyBytes size of each key
 */
function derive(cipher: Encryption, keyBytes: number, folded: Uint8Array): readonly Uint8Array[] {
  // One piece of memory for all: OpenSSL would have each small array moved to one of its own.
  const memory = new Uint8Array((folded.byteLength / AES_BLOCK_BYTES) * keyBytes);
  const keys: Uint8Array[] = [];
  for (let at = 0; at < memory.byteLength; at += keyBytes) keys.push(memory.subarray(at, at + keyBytes));
  let blocks: Uint8Array = folded;
  for (let at = 0; at < keyBytes; at += AES_BLOCK_BYTES) {
    const next = cipher.update(blocks);
    if (at > 0) blocks.fill(0);
    blocks = next;
    let from = 0;
    for (const key of keys)
      for (let index = at; index < at + AES_BLOCK_BYTES; index++) key[index] = blocks[from++] ?? 0;
  }
  blocks.fill(0);
  return keys;
}

/** @throws RangeError rather than to go on without a key */
function keyAt(keys: readonly Uint8Array[], index: number): Uint8Array {
  const key = keys[index];
  if (key === undefined) throw new RangeError(`no derived key ${index}`);
  return key;
}

/**
 * DK, RFC 3961 section 5.1, for AES.
 *
 * @param key 16 or 32 bytes
 * @param constant such as `kerberos` in the string-to-key function of RFC 3962
 * @returns a key of the same size; the caller wipes it
 */
export function deriveAesKey(key: Uint8Array, constant: Uint8Array): Uint8Array {
  const cipher = blockCipher(key);
  try {
    return keyAt(derive(cipher, key.byteLength, nFold(constant, AES_BLOCK_BYTES)), 0);
  } finally {
    cipher.final();
  }
}

interface UsageKeys {
  readonly cipher: AesCts;
  readonly integrity: Uint8Array;
}

export class AesSha1Key implements KerberosKey {
  readonly encryptionType: number;
  readonly value: Uint8Array;
  #derivation: Encryption | undefined;
  /** Undefined as long as nothing is derived: most keys of clients never are used. */
  #usages: Map<number, UsageKeys> | undefined;
  #checksums: Map<number, Uint8Array> | undefined;
  /** From then on it is all zeros, which anybody could use. */
  #isWiped = false;

  /** @param value kept, and wiped by `wipe` */
  constructor(encryptionType: number, value: Uint8Array) {
    this.encryptionType = encryptionType;
    this.value = value;
  }

  #derived(folded: Uint8Array): readonly Uint8Array[] {
    if (this.#isWiped) throw new RangeError('a key that was wiped');
    this.#derivation ??= blockCipher(this.value);
    return derive(this.#derivation, this.value.byteLength, folded);
  }

  #keys(usage: number): UsageKeys {
    const known = this.#usages?.get(usage);
    if (known !== undefined) return known;
    const usages = exchangeUsages.includes(usage) ? exchangeUsages : [usage];
    const keys = this.#derived(usageConstants(usage * 0x100, usages, cipherKinds));
    const kept = (this.#usages ??= new Map<number, UsageKeys>());
    const made = usages.map((each, index) => {
      const pair = { cipher: new AesCts(keyAt(keys, index * 2)), integrity: keyAt(keys, index * 2 + 1) };
      kept.set(each, pair);
      return pair;
    });
    const own = made[usages.indexOf(usage)];
    if (own === undefined) throw new RangeError(`no keys for usage ${usage}`);
    return own;
  }

  encrypt(usage: number, plain: Uint8Array, confounder: Uint8Array): Buffer {
    const { cipher, integrity } = this.#keys(usage);
    const sealed = cipher.encrypt(confounder, plain, MAC_BYTES);
    writeMac(sealed, sealed.byteLength - MAC_BYTES, MAC_BYTES, 'sha1', integrity, confounder, plain);
    return sealed;
  }

  decrypt(usage: number, sealed: Uint8Array, room?: Uint8Array): Buffer | undefined {
    const end = sealed.byteLength - MAC_BYTES;
    if (end < AES_BLOCK_BYTES) return undefined;
    const { cipher, integrity } = this.#keys(usage);
    const message = plainRoom(room, end);
    cipher.decrypt(sealed.subarray(0, end), message);
    writeMac(expected, 0, MAC_BYTES, 'sha1', integrity, message, nothing);
    const isAuthentic = timingSafeEqual(expected, sealed.subarray(end));
    expected.fill(0);
    if (isAuthentic) return message.subarray(AES_BLOCK_BYTES);
    message.fill(0);
    return undefined;
  }

  checksum(usage: number, ...data: readonly Uint8Array[]): Buffer {
    let key = this.#checksums?.get(usage);
    if (key === undefined) {
      key = keyAt(this.#derived(usageConstants(usage * 0x100 + KIND_CHECKSUM, [usage], [KIND_CHECKSUM])), 0);
      (this.#checksums ??= new Map<number, Uint8Array>()).set(usage, key);
    }
    return hmac('sha1', key, ...data).subarray(0, MAC_BYTES);
  }

  rest(): void {
    try {
      this.#derivation?.final();
    } catch {
      // It was ended already.
    }
    for (const { cipher, integrity } of this.#usages?.values() ?? []) {
      cipher.wipe();
      integrity.fill(0);
    }
    for (const key of this.#checksums?.values() ?? []) key.fill(0);
    this.#derivation = undefined;
    this.#usages = undefined;
    this.#checksums = undefined;
  }

  wipe(): void {
    this.#isWiped = true;
    this.value.fill(0);
    this.rest();
  }
}
