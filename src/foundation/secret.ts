/** Keys and hashes that settings hold. */

/**
 * Bytes that nothing prints. util.inspect, console.log, JSON.stringify, structuredClone and a copy of the object that
 * holds it all show an empty object (attack G04).
 */
export class Secret {
  readonly #bytes: Uint8Array;

  /** @param bytes copied, so the caller may wipe its own */
  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes);
    Object.freeze(this);
  }

  /** A copy of the bytes. The caller should wipe it when it is done. */
  copy(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
