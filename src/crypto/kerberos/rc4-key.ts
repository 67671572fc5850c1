/** arcfour-hmac: RFC 4757. It can be broken offline, so it is used only if option `allowRc4` is on. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { hmac } from '../hmac.ts';
import { rc4 } from '../rc4.ts';
import type { KerberosKey } from './kerberos-key.ts';

const CHECKSUM_BYTES = 16;
const CONFOUNDER_BYTES = 8;

/** Section 4: what the first HMAC of a checksum covers, with its zero byte. */
const signatureKey = Buffer.from('signaturekey\0', 'latin1');

/** The salt of section 3: the key usage as Microsoft numbers it, in four little-endian bytes. */
function salt(usage: number): Uint8Array {
  const mapped = usage === 3 || usage === 9 ? 8 : usage === 23 ? 13 : usage;
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, mapped, true);
  return bytes;
}

export class Rc4Key implements KerberosKey {
  readonly encryptionType = 23;
  readonly value: Uint8Array;
  /** From then on it is all zeros, which anybody could use. */
  #isWiped = false;

  /** @param value kept, and wiped by `wipe` */
  constructor(value: Uint8Array) {
    this.value = value;
  }

  get #usable(): Uint8Array {
    if (this.#isWiped) throw new RangeError('a key that was wiped');
    return this.value;
  }

  encrypt(usage: number, plain: Uint8Array, confounder: Uint8Array): Buffer {
    const k1 = hmac('md5', this.#usable, salt(usage));
    const message = Buffer.concat([confounder, plain]);
    const checksum = hmac('md5', k1, message);
    const k3 = hmac('md5', k1, checksum);
    const sealed = Buffer.concat([checksum, rc4(k3, message)]);
    k1.fill(0);
    k3.fill(0);
    message.fill(0);
    return sealed;
  }

  decrypt(usage: number, sealed: Uint8Array): Buffer | undefined {
    if (sealed.byteLength < CHECKSUM_BYTES + CONFOUNDER_BYTES) return undefined;
    const k1 = hmac('md5', this.#usable, salt(usage));
    const checksum = sealed.subarray(0, CHECKSUM_BYTES);
    const k3 = hmac('md5', k1, checksum);
    const message = Buffer.from(rc4(k3, sealed.subarray(CHECKSUM_BYTES)));
    const isAuthentic = timingSafeEqual(hmac('md5', k1, message), checksum);
    k1.fill(0);
    k3.fill(0);
    if (isAuthentic) return message.subarray(CONFOUNDER_BYTES);
    message.fill(0);
    return undefined;
  }

  checksum(usage: number, ...data: readonly Uint8Array[]): Buffer {
    // Section 4. Here Microsoft signs PACs with the usage as it is, and messages with 15 and 13.
    const key = hmac('md5', this.#usable, signatureKey);
    const digest = createHash('md5').update(salt(usage));
    for (const part of data) digest.update(part);
    const checksum = hmac('md5', key, digest.digest());
    key.fill(0);
    return checksum;
  }

  rest(): void {
    // It keeps nothing.
  }

  wipe(): void {
    this.#isWiped = true;
    this.value.fill(0);
  }
}
