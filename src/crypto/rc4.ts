/** RC4, for NTLM alone. */
const identity = Uint8Array.from({ length: 256 }, (_, index) => index);

/**
 * RC4, the stream cipher of NTLM's session security (MS-NLMP section 3.4.4); node:crypto has it only with OpenSSL's
 * legacy provider. It is broken as a cipher: NTLM prescribes it, nothing else may use it.
 */
export class Rc4 {
  readonly #state = new Uint8Array(256);
  #i = 0;
  #j = 0;

  /** @param key 1 to 256 bytes; not kept */
  constructor(key: Uint8Array) {
    const state = this.#state;
    const length = key.byteLength;
    state.set(identity);
    for (let i = 0, j = 0, at = 0; i < 256; i++) {
      const value = state[i] ?? 0;
      j = (j + value + (key[at] ?? 0)) & 0xff;
      state[i] = state[j] ?? 0;
      state[j] = value;
      // Counted up: `i % length` would need a division in each of the 256 steps, most of the time that a key takes.
      at = at + 1 === length ? 0 : at + 1;
    }
  }

  /** Encrypts or decrypts the next bytes of the stream into a new array. */
  update(input: Uint8Array): Uint8Array {
    const state = this.#state;
    const output = new Uint8Array(input.byteLength);
    let i = this.#i;
    let j = this.#j;
    for (let at = 0; at < input.byteLength; at++) {
      i = (i + 1) & 0xff;
      const a = state[i] ?? 0;
      j = (j + a) & 0xff;
      const b = state[j] ?? 0;
      state[i] = b;
      state[j] = a;
      output[at] = (input[at] ?? 0) ^ (state[(a + b) & 0xff] ?? 0);
    }
    this.#i = i;
    this.#j = j;
    return output;
  }

  /** A second cipher at the same point of the stream, to verify a message that may be forged. */
  copy(): Rc4 {
    const copy = new Rc4(noKey);
    copy.#state.set(this.#state);
    copy.#i = this.#i;
    copy.#j = this.#j;
    return copy;
  }

  /** Wipes the key. The cipher cannot be used afterwards. */
  wipe(): void {
    this.#state.fill(0);
    this.#i = 0;
    this.#j = 0;
  }
}

const noKey = new Uint8Array(1);

/** RC4 of one whole value, with a new cipher (RC4K of MS-NLMP section 6). */
export function rc4(key: Uint8Array, input: Uint8Array): Uint8Array {
  const cipher = new Rc4(key);
  const output = cipher.update(input);
  cipher.wipe();
  return output;
}
