/**
 * AES in CBC mode with ciphertext stealing, RFC 3962 section 5: the initial vector is zero, and the last two blocks
 * always change places (CS3).
 *
 * A cipher object of node:crypto costs more than the encryption of a whole ticket (on Node 24 five times as much), so
 * one object per key and direction is kept. It goes on with its chain from call to call: what it adds to the first
 * block is its last ciphertext block, which is taken away again here.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';

/** A cipher object and its state. */
interface Chain<Cipher> {
  readonly cipher: Cipher;
  /** The last ciphertext block that it saw. */
  readonly last: Uint8Array;
}
type Encryption = ReturnType<typeof createCipheriv>;
type Decryption = ReturnType<typeof createDecipheriv>;

/** Block size of AES, in bytes. */
export const AES_BLOCK_BYTES = 16;
const BLOCK = AES_BLOCK_BYTES;

/** Longer messages get a buffer of their own, in bytes. */
const WORKSPACE_BYTES = 8192;
/** The input of the cipher is put together here. A call is never interrupted; between two calls it holds zeros. */
const workspace = Buffer.alloc(WORKSPACE_BYTES);
/** The initial vector. */
const zeroVector = Buffer.alloc(BLOCK);
/** The block whose end was stolen. */
const stolenFrom = Buffer.alloc(BLOCK);

/** target[at…] ^= mask[from…], one block. */
function addBlock(target: Uint8Array, at: number, mask: Uint8Array, from: number): void {
  for (let index = 0; index < BLOCK; index++) {
    target[at + index] = (target[at + index] ?? 0) ^ (mask[from + index] ?? 0);
  }
}

function copyBlock(target: Uint8Array, source: Uint8Array, from: number): void {
  for (let index = 0; index < BLOCK; index++) target[index] = source[from + index] ?? 0;
}

/** Ends a cipher object: OpenSSL then wipes its key. */
function end(chain: Chain<Encryption | Decryption> | undefined): void {
  try {
    chain?.cipher.final();
  } catch {
    // It was used up already.
  }
}

/** A key of AES with 128 or 256 bits. */
export class AesCts {
  readonly #key: Uint8Array;
  #encryption: Chain<Encryption> | undefined;
  #decryption: Chain<Decryption> | undefined;

  /** @param key 16 or 32 bytes. Kept and wiped by `wipe` */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /**
   * Encrypts a message of two parts.
   *
   * @param confounder at least one block
   * @param plain any length
   * @param more bytes behind the ciphertext, for the caller to write. They are not zero
   */
  encrypt(confounder: Uint8Array, plain: Uint8Array, more: number): Buffer {
    const length = confounder.byteLength + plain.byteLength;
    const size = Math.ceil(length / BLOCK) * BLOCK;
    this.#encryption ??= {
      cipher: createCipheriv(this.#cipherName, this.#key, zeroVector).setAutoPadding(false),
      last: new Uint8Array(BLOCK),
    };
    const padded = size <= WORKSPACE_BYTES ? workspace.subarray(0, size) : Buffer.alloc(size);
    const { cipher, last: lastBlock } = this.#encryption;
    let chain: Buffer;
    try {
      padded.set(confounder);
      padded.set(plain, confounder.byteLength);
      addBlock(padded, 0, lastBlock, 0);
      chain = cipher.update(padded);
    } finally {
      padded.fill(0);
    }
    const last = size - BLOCK;
    copyBlock(lastBlock, chain, last);
    const sealed = Buffer.allocUnsafe(length + more);
    if (last === 0) {
      chain.copy(sealed);
      return sealed;
    }
    const split = last - BLOCK;
    chain.copy(sealed, 0, 0, split);
    chain.copy(sealed, split, last);
    chain.copy(sealed, last, split, split + length - last);
    return sealed;
  }

  /**
   * @param sealed at least one block. Unchanged
   * @param plain as many bytes, which are overwritten
   */
  decrypt(sealed: Uint8Array, plain: Uint8Array): void {
    const length = sealed.byteLength;
    // The block before the last on the wire is the last of the chain.
    const last = (Math.ceil(length / BLOCK) - 1) * BLOCK;
    if (last === 0) {
      plain.set(this.#decryptChain(sealed));
      return;
    }
    const split = last - BLOCK;
    const head = this.#decryptChain(sealed.subarray(0, last));
    plain.set(head);
    // What is left in `head` is the last block, to which the block before it in `sealed` was added.
    if (split > 0) addBlock(head, split, sealed, split - BLOCK);
    const stolen = length - last;
    for (let index = 0; index < BLOCK; index++) {
      stolenFrom[index] = (index < stolen ? sealed[last + index] : head[split + index]) ?? 0;
      if (index < stolen) plain[last + index] = (head[split + index] ?? 0) ^ (sealed[last + index] ?? 0);
    }
    const block = this.#decryptChain(stolenFrom);
    if (split > 0) addBlock(block, 0, sealed, split - BLOCK);
    plain.set(block, split);
    head.fill(0);
    block.fill(0);
    stolenFrom.fill(0);
  }

  /** CBC decryption of whole blocks with a zero initial vector. */
  #decryptChain(chain: Uint8Array): Buffer {
    this.#decryption ??= {
      cipher: createDecipheriv(this.#cipherName, this.#key, zeroVector).setAutoPadding(false),
      last: new Uint8Array(BLOCK),
    };
    const { cipher, last } = this.#decryption;
    const plain = cipher.update(chain);
    addBlock(plain, 0, last, 0);
    copyBlock(last, chain, chain.byteLength - BLOCK);
    return plain;
  }

  get #cipherName(): string {
    return this.#key.byteLength === BLOCK ? 'aes-128-cbc' : 'aes-256-cbc';
  }

  /** Wipes the key. Nothing can be encrypted or decrypted afterwards. */
  wipe(): void {
    this.#key.fill(0);
    end(this.#encryption);
    end(this.#decryption);
    this.#encryption = undefined;
    this.#decryption = undefined;
  }
}
