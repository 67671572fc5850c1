/**
 * A cache of what was found out about tickets. A client sends the same ticket until it expires, each time with a new
 * Authenticator. The content of a ticket is encrypted with integrity protection (RFC 3961), so the same ticket, byte for
 * byte, has the same content.
 *
 * An entry does not sign anyone in. Who uses it must verify again whatever may change: times, keys and policy (attack
 * D23).
 */
import type { ApRequestHeader } from '../formats/kerberos/kerberos-token.ts';

/**
 * Size of all tickets that are kept, in bytes: more than a thousand usual ones. Their accounts take at most about 30
 * MiB.
 */
const MAX_BYTES = 2 * 1024 * 1024;
/** Longer tickets, in bytes, are not kept: a few of them would displace all others. */
const MAX_TICKET_BYTES = 16384;

interface Entry<Value> {
  readonly ticket: Uint8Array;
  readonly value: Value;
}

/** What is known of the tickets of one credential. Credentials do not share it, because options may differ. */
export class TicketCache<Value> {
  readonly #entries = new Map<number, Entry<Value>>();
  readonly #release: (value: Value) => void;
  #bytes = 0;

  /** @param release is called with each value that is dropped, such as to wipe its keys */
  constructor(release: (value: Value) => void = () => undefined) {
    this.#release = release;
  }

  /** @returns what was kept of this ticket; undefined if nothing is */
  get(request: ApRequestHeader): Value | undefined {
    const entry = this.#entries.get(keyOf(request));
    if (entry === undefined || Buffer.compare(entry.ticket, request.ticketBytes) !== 0) return undefined;
    return entry.value;
  }

  /**
   * Keeps a value for a ticket. If there is not enough space, the oldest entries are dropped.
   *
   * @returns whether it is kept. If not, it is the caller's to release
   */
  set(request: ApRequestHeader, value: Value): boolean {
    const { ticketBytes } = request;
    if (ticketBytes.byteLength > MAX_TICKET_BYTES) return false;
    const key = keyOf(request);
    this.#drop(key);
    for (const first of this.#entries.keys()) {
      if (this.#bytes + ticketBytes.byteLength <= MAX_BYTES) break;
      this.#drop(first);
    }
    // Copied: the caller may reuse the token, and a view would keep the whole token alive.
    this.#entries.set(key, { ticket: new Uint8Array(ticketBytes), value });
    this.#bytes += ticketBytes.byteLength;
    return true;
  }

  /** Drops what is kept of a ticket. */
  delete(request: ApRequestHeader): void {
    if (this.get(request) !== undefined) this.#drop(keyOf(request));
  }

  /** Drops everything. */
  clear(): void {
    for (const key of [...this.#entries.keys()]) this.#drop(key);
  }

  #drop(key: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.ticket.byteLength;
    this.#release(entry.value);
  }
}

/**
 * The map key of a ticket: the last bytes of its ciphertext. Two tickets share them only by chance; then one is kept.
 */
function keyOf({ ticketCipher }: ApRequestHeader): number {
  const end = ticketCipher.byteLength;
  let key = 0;
  for (let index = Math.max(0, end - 4); index < end; index++) key = (key << 8) | (ticketCipher[index] ?? 0);
  return key;
}
