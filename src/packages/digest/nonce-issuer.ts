/**
 * Nonces that need no table: each holds what the server must know about it, protected by a MAC (RFC 7616 section 5.4).
 */
import { timingSafeEqual } from 'node:crypto';
import { hmac } from '../../crypto/hmac.ts';
import type { Clock, RandomSource } from '../../foundation/clock.ts';

// Layout, in bytes: time of issue (6, big-endian milliseconds), issuer (6), retries (1), random (11), MAC (24).
const TIME_BYTES = 6;
const ISSUER_BYTES = 6;
const RETRIES_BYTES = 1;
const RANDOM_BYTES = 11;
const MAC_BYTES = 24;
const BODY_BYTES = TIME_BYTES + ISSUER_BYTES + RETRIES_BYTES + RANDOM_BYTES;
const RETRIES_OFFSET = TIME_BYTES + ISSUER_BYTES;

// 48 bytes are 64 characters with no bit to spare, so each nonce has exactly one spelling (attack A02).
const NONCE_FORM = /^[0-9A-Za-z_-]{64}$/;

/** A nonce with a valid MAC. */
export interface IssuedNonce {
  /** Milliseconds of NonceIssuer.time; meaningless for a nonce of another issuer. */
  readonly issuedAt: number;
  /**
   * Issued by this object. The counts used with a nonce of another object, with the same secret, are not known here.
   */
  readonly own: boolean;
  /** How many nonces in a row before this one were of no use to the client. */
  readonly retries: number;
}

export class NonceIssuer {
  readonly #secret: Uint8Array;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #issuer: Uint8Array;
  readonly #epoch: number;

  /**
   * @param secret key of the MAC, 32 bytes or more
   * @param clock only its `elapsed` is used: ages must not depend on a clock that can be set back (attack G06)
   */
  constructor(secret: Uint8Array, clock: Clock, random: RandomSource) {
    this.#secret = Uint8Array.from(secret);
    this.#clock = clock;
    this.#random = random;
    this.#issuer = Uint8Array.from(random(ISSUER_BYTES));
    // A random point in the past, so that a nonce does not tell how long this machine has been up.
    const past = random(4);
    this.#epoch = Math.floor(clock.elapsed()) - new DataView(past.buffer, past.byteOffset).getUint32(0);
  }

  /** The time now, in milliseconds since a point that this issuer chose. Never steps back. */
  time(): number {
    return Math.floor(this.#clock.elapsed()) - this.#epoch;
  }

  /**
   * A new nonce for one realm: 64 characters of base64url. It is good for every algorithm that is offered with it: RFC
   * 7616 section 3.3 leaves that to the server, and some clients answer with one challenge's algorithm and another's
   * nonce.
   *
   * @param retries see IssuedNonce; 0 to 255
   */
  issue(realm: string, retries = 0): string {
    const nonce = Buffer.alloc(BODY_BYTES + MAC_BYTES);
    nonce.writeUIntBE(this.time(), 0, TIME_BYTES);
    nonce.set(this.#issuer, TIME_BYTES);
    nonce.writeUInt8(retries, RETRIES_OFFSET);
    nonce.set(this.#random(RANDOM_BYTES), RETRIES_OFFSET + RETRIES_BYTES);
    nonce.set(this.#mac(nonce.subarray(0, BODY_BYTES), realm), BODY_BYTES);
    return nonce.toString('base64url');
  }

  /**
   * Reads a nonce that a client sent back.
   *
   * @returns undefined if its MAC does not verify for this secret and realm, or its time of issue is in the future (attack
   *   E03)
   */
  examine(nonce: string, realm: string): IssuedNonce | undefined {
    if (!NONCE_FORM.test(nonce)) return undefined;
    const bytes = Buffer.from(nonce, 'base64url');
    const body = bytes.subarray(0, BODY_BYTES);
    if (!timingSafeEqual(bytes.subarray(BODY_BYTES), this.#mac(body, realm))) return undefined;
    const own = bytes.subarray(TIME_BYTES, TIME_BYTES + ISSUER_BYTES).equals(this.#issuer);
    const issuedAt = bytes.readUIntBE(0, TIME_BYTES);
    const retries = bytes.readUInt8(RETRIES_OFFSET);
    return own && issuedAt > this.time() ? undefined : { issuedAt, own, retries };
  }

  /** Wipes the key. */
  wipe(): void {
    this.#secret.fill(0);
  }

  #mac(body: Uint8Array, realm: string): Uint8Array {
    return hmac('sha256', this.#secret, body, Buffer.from(realm, 'utf8')).subarray(0, MAC_BYTES);
  }
}
