/** aes128-cts-hmac-sha1-96 and aes256-cts-hmac-sha1-96: RFC 3962, with the simplified profile of RFC 3961 section 5. */
import { createCipheriv, timingSafeEqual } from 'node:crypto';
import { hmac } from '../hmac.ts';
import { AES_BLOCK_BYTES, AesCts } from './aes-cts.ts';
import type { KerberosKey } from './kerberos-key.ts';
import { nFold } from './n-fold.ts';

type Encryption = ReturnType<typeof createCipheriv>;

/** Bytes of the truncated HMAC. */
const MAC_BYTES = 12;

/** The last byte of the constant that a key is derived with, RFC 3961 section 5.3. */
const KIND_CHECKSUM = 0x99;
const KIND_ENCRYPTION = 0xaa;
const KIND_INTEGRITY = 0x55;

/** Folded constants by usage and kind: they are the same for all keys. */
const constants = new Map<number, Uint8Array>();

function usageConstant(usage: number, kind: number): Uint8Array {
  const name = usage * 0x100 + kind;
  let folded = constants.get(name);
  if (folded === undefined) {
    const constant = new Uint8Array(5);
    new DataView(constant.buffer).setUint32(0, usage);
    constant[4] = kind;
    folded = nFold(constant, AES_BLOCK_BYTES);
    constants.set(name, folded);
  }
  return folded;
}

/** Encrypts blocks on their own. */
function blockCipher(key: Uint8Array): Encryption {
  return createCipheriv(key.byteLength === AES_BLOCK_BYTES ? 'aes-128-ecb' : 'aes-256-ecb', key, null).setAutoPadding(
    false,
  );
}

function derive(cipher: Encryption, keyBytes: number, folded: Uint8Array): Uint8Array {
  const derived = new Uint8Array(keyBytes);
  let block: Uint8Array = folded;
  for (let at = 0; at < keyBytes; at += AES_BLOCK_BYTES) {
    block = cipher.update(block);
    derived.set(block, at);
  }
  block.fill(0);
  return derived;
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
    return derive(cipher, key.byteLength, nFold(constant, AES_BLOCK_BYTES));
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
  readonly #usages = new Map<number, UsageKeys>();
  readonly #checksums = new Map<number, Uint8Array>();

  /** @param value kept, and wiped by `wipe` */
  constructor(encryptionType: number, value: Uint8Array) {
    this.encryptionType = encryptionType;
    this.value = value;
  }

  #derived(usage: number, kind: number): Uint8Array {
    this.#derivation ??= blockCipher(this.value);
    return derive(this.#derivation, this.value.byteLength, usageConstant(usage, kind));
  }

  #keys(usage: number): UsageKeys {
    let keys = this.#usages.get(usage);
    if (keys === undefined) {
      keys = {
        cipher: new AesCts(this.#derived(usage, KIND_ENCRYPTION)),
        integrity: this.#derived(usage, KIND_INTEGRITY),
      };
      this.#usages.set(usage, keys);
    }
    return keys;
  }

  encrypt(usage: number, plain: Uint8Array, confounder: Uint8Array): Buffer {
    const { cipher, integrity } = this.#keys(usage);
    const message = Buffer.concat([confounder, plain]);
    const mac = hmac('sha1', integrity, message);
    const sealed = Buffer.concat([cipher.encrypt(message), mac.subarray(0, MAC_BYTES)]);
    message.fill(0);
    return sealed;
  }

  decrypt(usage: number, sealed: Uint8Array): Buffer | undefined {
    const end = sealed.byteLength - MAC_BYTES;
    if (end < AES_BLOCK_BYTES) return undefined;
    const { cipher, integrity } = this.#keys(usage);
    const message = cipher.decrypt(sealed.subarray(0, end));
    const mac = hmac('sha1', integrity, message);
    if (!timingSafeEqual(mac.subarray(0, MAC_BYTES), sealed.subarray(end))) {
      message.fill(0);
      return undefined;
    }
    return message.subarray(AES_BLOCK_BYTES);
  }

  checksum(usage: number, ...data: readonly Uint8Array[]): Buffer {
    let key = this.#checksums.get(usage);
    if (key === undefined) {
      key = this.#derived(usage, KIND_CHECKSUM);
      this.#checksums.set(usage, key);
    }
    return hmac('sha1', key, ...data).subarray(0, MAC_BYTES);
  }

  wipe(): void {
    this.value.fill(0);
    try {
      this.#derivation?.final();
    } catch {
      // It was ended already.
    }
    for (const { cipher, integrity } of this.#usages.values()) {
      cipher.wipe();
      integrity.fill(0);
    }
    for (const key of this.#checksums.values()) key.fill(0);
  }
}
