/**
 * AES in CBC mode with ciphertext stealing, RFC 3962 section 5: the initial vector is zero, and the last two blocks
 * always change places (CS3).
 *
 * A cipher object of node:crypto costs more than the encryption of a whole ticket (on Node 24 five times as much), so
 * one object per key and direction is kept. It goes on with its chain from call to call: what it adds to the first
 * block is its last ciphertext block, which is taken away again here.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';

type Encryption = ReturnType<typeof createCipheriv>;
type Decryption = ReturnType<typeof createDecipheriv>;

/** Block size of AES, in bytes. */
export const AES_BLOCK_BYTES = 16;
const BLOCK = AES_BLOCK_BYTES;

/** target[at…] ^= mask[from…], one block. */
function addBlock(target: Uint8Array, at: number, mask: Uint8Array, from: number): void {
  for (let index = 0; index < BLOCK; index++) {
    target[at + index] = (target[at + index] ?? 0) ^ (mask[from + index] ?? 0);
  }
}

/** Ends a cipher object: OpenSSL then wipes its key. */
function end(cipher: Encryption | Decryption | undefined): void {
  try {
    cipher?.final();
  } catch {
    // It was used up already.
  }
}

/** A key of AES with 128 or 256 bits. */
export class AesCts {
  readonly #key: Uint8Array;
  #encryption: Encryption | undefined;
  #decryption: Decryption | undefined;
  /** The last ciphertext blocks that the objects saw: the state of their chains. */
  readonly #lastEncrypted = new Uint8Array(BLOCK);
  readonly #lastDecrypted = new Uint8Array(BLOCK);

  /** @param key 16 or 32 bytes. Kept and wiped by `wipe` */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** @param plain at least one block. Unchanged */
  encrypt(plain: Uint8Array): Buffer {
    const length = plain.byteLength;
    const blocks = Math.ceil(length / BLOCK);
    const padded = Buffer.alloc(blocks * BLOCK);
    padded.set(plain);
    const name = this.#key.byteLength === BLOCK ? 'aes-128-cbc' : 'aes-256-cbc';
    this.#encryption ??= createCipheriv(name, this.#key, new Uint8Array(BLOCK)).setAutoPadding(false);
    addBlock(padded, 0, this.#lastEncrypted, 0);
    const chain = this.#encryption.update(padded);
    padded.fill(0);
    const last = chain.byteLength - BLOCK;
    this.#lastEncrypted.set(chain.subarray(last));
    if (blocks === 1) return chain;
    const sealed = Buffer.allocUnsafe(length);
    const split = last - BLOCK;
    chain.copy(sealed, 0, 0, split);
    chain.copy(sealed, split, last);
    chain.copy(sealed, last, split, split + length - last);
    return sealed;
  }

  /** @param sealed at least one block. Unchanged */
  decrypt(sealed: Uint8Array): Buffer {
    const length = sealed.byteLength;
    const blocks = Math.ceil(length / BLOCK);
    if (blocks === 1) return this.#decryptChain(sealed);
    // The block before the last on the wire is the last of the chain.
    const last = (blocks - 1) * BLOCK;
    const split = last - BLOCK;
    const head = this.#decryptChain(sealed.subarray(0, last));
    const plain = Buffer.allocUnsafe(length);
    head.copy(plain, 0, 0, split);
    // What is left in `head` is the last block, to which the block before it in `sealed` was added.
    if (split > 0) addBlock(head, split, sealed, split - BLOCK);
    const stolen = length - last;
    const previous = Buffer.allocUnsafe(BLOCK);
    for (let index = 0; index < BLOCK; index++) {
      previous[index] = (index < stolen ? sealed[last + index] : head[split + index]) ?? 0;
      if (index < stolen) plain[last + index] = (head[split + index] ?? 0) ^ (sealed[last + index] ?? 0);
    }
    const block = this.#decryptChain(previous);
    if (split > 0) addBlock(block, 0, sealed, split - BLOCK);
    block.copy(plain, split);
    head.fill(0);
    block.fill(0);
    return plain;
  }

  /** CBC decryption of whole blocks with a zero initial vector. */
  #decryptChain(chain: Uint8Array): Buffer {
    const name = this.#key.byteLength === BLOCK ? 'aes-128-cbc' : 'aes-256-cbc';
    this.#decryption ??= createDecipheriv(name, this.#key, new Uint8Array(BLOCK)).setAutoPadding(false);
    const plain = this.#decryption.update(chain);
    addBlock(plain, 0, this.#lastDecrypted, 0);
    this.#lastDecrypted.set(chain.subarray(chain.byteLength - BLOCK));
    return plain;
  }

  /** Wipes the key. Nothing can be encrypted or decrypted afterwards. */
  wipe(): void {
    this.#key.fill(0);
    end(this.#encryption);
    end(this.#decryption);
    this.#encryption = undefined;
    this.#decryption = undefined;
    this.#lastEncrypted.fill(0);
    this.#lastDecrypted.fill(0);
  }
}
