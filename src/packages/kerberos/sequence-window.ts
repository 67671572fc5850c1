/** The numbers of received messages: which are the next, which are missing, and which were there before. */

/** How many numbers before the next one are remembered. */
const WINDOW = 64n;

/** The window of one context. */
export class SequenceWindow {
  readonly #detectsReplay: boolean;
  readonly #detectsOrder: boolean;
  /** Numbers count modulo this, plus one. */
  readonly #mask: bigint;
  readonly #first: bigint;
  /** The number after the highest one received, counted from the first. */
  #next = 0n;
  /** Bit n: the number `next - 1 - n` was received. */
  #received = 0n;

  /**
   * @param first number of the first message
   * @param bits of a number: 64 in RFC 4121, 32 in RFC 1964
   * @param detects replay (GSS_C_REPLAY_FLAG), and order (GSS_C_SEQUENCE_FLAG)
   */
  constructor(first: number, bits: 32 | 64, detects: { readonly replay: boolean; readonly order: boolean }) {
    this.#first = BigInt(first);
    this.#mask = (1n << BigInt(bits)) - 1n;
    this.#detectsReplay = detects.replay;
    this.#detectsOrder = detects.order;
  }

  /**
   * Takes the number of a verified message.
   *
   * @returns whether the message may be used: not received before, and, if order counts, the next one
   */
  take(number: bigint): boolean {
    if (!this.#detectsReplay && !this.#detectsOrder) return true;
    const relative = (number - this.#first) & this.#mask;
    if (relative >= this.#next) {
      const skipped = relative - this.#next;
      this.#received = skipped >= WINDOW ? 1n : ((this.#received << (skipped + 1n)) | 1n) & ((1n << WINDOW) - 1n);
      this.#next = (relative + 1n) & this.#mask;
      return skipped === 0n || !this.#detectsOrder;
    }
    const age = this.#next - relative;
    if (age > WINDOW) return false;
    const bit = 1n << (age - 1n);
    if (this.#detectsReplay && (this.#received & bit) !== 0n) return false;
    this.#received |= bit;
    return !this.#detectsOrder;
  }
}
