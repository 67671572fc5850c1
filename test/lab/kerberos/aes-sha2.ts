/** aes128-cts-hmac-sha256-128 and aes256-cts-hmac-sha384-192 (RFC 8009), as aes-sha1.ts has the older types. */
import { createHmac, randomBytes } from 'node:crypto';
import { ctsDecrypt, ctsEncrypt } from './aes-sha1.ts';

const BLOCK = 16;

/** Keys that were derived before. */
const derived = new Map<string, Buffer>();

function isLong(key: Uint8Array): boolean {
  return key.byteLength === 32;
}

/** Bytes of a truncated HMAC, which is also the size of the keys that make one. */
function macBytes(key: Uint8Array): number {
  return isLong(key) ? 24 : 16;
}

function hmac(key: Uint8Array, isOfLong: boolean, ...data: readonly Uint8Array[]): Buffer {
  const made = createHmac(isOfLong ? 'sha384' : 'sha256', key);
  for (const part of data) made.update(part);
  return made.digest();
}

/** KDF-HMAC-SHA2, section 3, with the label of a key usage and kind. */
function usageKey(key: Uint8Array, usage: number, kind: number): Buffer {
  const name = `${Buffer.from(key).toString('latin1')}/${usage}/${kind}`;
  let found = derived.get(name);
  if (found === undefined) {
    const size = kind === 0xaa ? key.byteLength : macBytes(key);
    const input = Buffer.alloc(14);
    input.writeUInt32BE(1, 0);
    input.writeUInt32BE(usage, 4);
    input[8] = kind;
    input.writeUInt32BE(size * 8, 10);
    found = hmac(key, isLong(key), input).subarray(0, size);
    if (derived.size > 256) derived.clear();
    derived.set(name, found);
  }
  return found;
}

/** The MAC covers the initial vector and what is encrypted. */
function mac(key: Uint8Array, usage: number, sealed: Uint8Array): Buffer {
  return hmac(usageKey(key, usage, 0x55), isLong(key), Buffer.alloc(BLOCK), sealed).subarray(0, macBytes(key));
}

/** Encrypts under a key usage of RFC 4120 section 7.5.1. */
export function encrypt(key: Uint8Array, usage: number, plain: Uint8Array): Buffer {
  const sealed = ctsEncrypt(usageKey(key, usage, 0xaa), Buffer.concat([randomBytes(BLOCK), plain]));
  return Buffer.concat([sealed, mac(key, usage, sealed)]);
}

/** @throws Error where the MAC is wrong */
export function decrypt(key: Uint8Array, usage: number, cipher: Uint8Array): Buffer {
  const sealed = cipher.subarray(0, -macBytes(key));
  if (!mac(key, usage, sealed).equals(cipher.subarray(-macBytes(key)))) throw new Error('wrong MAC');
  return ctsDecrypt(usageKey(key, usage, 0xaa), sealed).subarray(BLOCK);
}

/** The keyed checksum of the type. */
export function checksum(key: Uint8Array, usage: number, data: Uint8Array): Buffer {
  return hmac(usageKey(key, usage, 0x99), isLong(key), data).subarray(0, macBytes(key));
}
