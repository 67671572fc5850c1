/**
 * A set of hashes in typed arrays: 16 bytes a hash, at most two thirds full, so about 24 to 48 bytes each, where a Set of
 * strings takes more than 100 (test/stores/hash-set.test.ts counts them).
 */

/** 32-bit words of a hash that are kept: 128 bits. Two hashes that agree in them would be taken for one. */
const WORDS = 4;
const BYTES = WORDS * 4;
const FIRST_CAPACITY = 256;

export class HashSet {
  /** `WORDS` words a slot; all zero means empty. */
  #slots = new Uint32Array(FIRST_CAPACITY * WORDS);
  #capacity = FIRST_CAPACITY;
  #size = 0;
  readonly #seed: number;

  /** @param seed a random number, so that nobody can choose hashes that meet in one slot */
  constructor(seed: number) {
    this.#seed = seed >>> 0;
  }

  /** How many hashes it holds. */
  get size(): number {
    return this.#size;
  }

  /** How much memory it takes, in bytes. */
  get byteLength(): number {
    return this.#slots.byteLength;
  }

  /**
   * Whether a hash is in the set.
   *
   * @param hash at least 16 bytes, evenly distributed
   */
  has(hash: Buffer): boolean {
    return this.#slots[this.#slotOf(hash) * WORDS] !== 0;
  }

  /** Adds a hash of at least 16 bytes. One that is in the set is no error. */
  add(hash: Buffer): void {
    const at = this.#slotOf(hash) * WORDS;
    if (this.#slots[at] !== 0) return;
    this.#slots[at] = firstWord(hash);
    for (let word = 1; word < WORDS; word++) this.#slots[at + word] = hash.readUInt32LE(word * 4);
    this.#size++;
    if (this.#size * 3 > this.#capacity * 2) this.#grow();
  }

  /** The slot that holds a hash, else the empty one where it belongs. */
  #slotOf(hash: Buffer): number {
    if (hash.byteLength < BYTES) throw new RangeError(`a hash needs ${BYTES} bytes`);
    const first = firstWord(hash);
    let slot = this.#home(first);
    for (;;) {
      const at = slot * WORDS;
      const held = this.#slots[at];
      if (held === 0) return slot;
      if (
        held === first &&
        this.#slots[at + 1] === hash.readUInt32LE(4) &&
        this.#slots[at + 2] === hash.readUInt32LE(8) &&
        this.#slots[at + 3] === hash.readUInt32LE(12)
      ) {
        return slot;
      }
      slot = (slot + 1) & (this.#capacity - 1);
    }
  }

  #home(first: number): number {
    let mixed = Math.imul(first ^ this.#seed, 0x9e3779b1);
    mixed = Math.imul(mixed ^ (mixed >>> 15) ^ this.#seed, 0x85ebca6b);
    return (mixed ^ (mixed >>> 13)) & (this.#capacity - 1);
  }

  #grow(): void {
    const old = this.#slots;
    this.#capacity *= 2;
    this.#slots = new Uint32Array(this.#capacity * WORDS);
    for (let at = 0; at < old.length; at += WORDS) {
      const first = old[at] ?? 0;
      if (first === 0) continue;
      let slot = this.#home(first);
      while (this.#slots[slot * WORDS] !== 0) slot = (slot + 1) & (this.#capacity - 1);
      this.#slots.set(old.subarray(at, at + WORDS), slot * WORDS);
    }
  }
}

/** Zero means an empty slot, so a hash that begins with it is kept as one that begins with 1. */
function firstWord(hash: Buffer): number {
  return hash.readUInt32LE(0) || 1;
}
