/**
 * Nonces that need no table: each holds what the server must know about it, protected by a MAC (RFC 7616 section 5.4).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { hmac } from '../../crypto/hmac.ts';
import type { Clock, RandomSource } from '../../foundation/clock.ts';
import { FleetTime, SERVER_CLOCK_SKEW } from './fleet-time.ts';

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
   * Issued by this object, or by one of the same scope. The counts used with a nonce of another object, with the same
   * secret, are not known here.
   */
  readonly own: boolean;
  /** Issued by a server whose clock is ahead of this one's by more than servers may differ. */
  readonly early: boolean;
  /** How many nonces in a row before this one were of no use to the client. */
  readonly retries: number;
}

export class NonceIssuer {
  readonly #secret: Uint8Array;
  readonly #random: RandomSource;
  readonly #issuer: Uint8Array;
  readonly #now: () => number;
  /** How far issuers of the scope may be ahead of this one, in milliseconds. */
  readonly #skew: number;

  /**
   * @param secret key of the MAC, 32 bytes or more
   * @param clock without a scope only its `elapsed` is used: ages must not depend on a clock that can be set back (attack
   *   G06)
   * @param scope what all issuers whose counts are known here have in common; undefined: this object is alone
   */
  constructor(secret: Uint8Array, clock: Clock, random: RandomSource, scope?: string) {
    this.#secret = Uint8Array.from(secret);
    this.#random = random;
    if (scope === undefined) {
      this.#issuer = Uint8Array.from(random(ISSUER_BYTES));
      // A random point in the past, so that a nonce does not tell how long this machine has been up.
      const past = random(4);
      const epoch = Math.floor(clock.elapsed()) - new DataView(past.buffer, past.byteOffset).getUint32(0);
      this.#now = () => Math.floor(clock.elapsed()) - epoch;
      this.#skew = 0;
    } else {
      const hash = createHash('sha256').update(`scope of nonces: ${scope}`, 'utf8').digest();
      this.#issuer = hash.subarray(0, ISSUER_BYTES);
      const time = new FleetTime(clock);
      this.#now = () => time.now();
      this.#skew = SERVER_CLOCK_SKEW;
    }
  }

  /**
   * The time now, in milliseconds. Never steps back. With a scope it counts from 1970-01-01 UTC, else from a point that
   * this issuer chose.
   */
  time(): number {
    return this.#now();
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
   * @returns undefined if its MAC does not verify for this secret and realm, or its time of issue is in the future of its
   *   only issuer (attack E03)
   */
  examine(nonce: string, realm: string): IssuedNonce | undefined {
    if (!NONCE_FORM.test(nonce)) return undefined;
    const bytes = Buffer.from(nonce, 'base64url');
    const body = bytes.subarray(0, BODY_BYTES);
    if (!timingSafeEqual(bytes.subarray(BODY_BYTES), this.#mac(body, realm))) return undefined;
    const own = bytes.subarray(TIME_BYTES, TIME_BYTES + ISSUER_BYTES).equals(this.#issuer);
    const issuedAt = bytes.readUIntBE(0, TIME_BYTES);
    const retries = bytes.readUInt8(RETRIES_OFFSET);
    const early = own && issuedAt > this.time() + this.#skew;
    return early && this.#skew === 0 ? undefined : { issuedAt, own, early, retries };
  }

  /** Wipes the key. */
  wipe(): void {
    this.#secret.fill(0);
  }

  #mac(body: Uint8Array, realm: string): Uint8Array {
    return hmac('sha256', this.#secret, body, Buffer.from(realm, 'utf8')).subarray(0, MAC_BYTES);
  }
}
