/**
 * aes128-cts-hmac-sha1-96 and aes256-cts-hmac-sha1-96 (RFC 3961 section 5, RFC 3962), so that tests can alter what is
 * encrypted in a real ticket. Checked against the published vectors in aes-sha1.test.ts.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

const BLOCK = 16;
const MAC = 12;

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}

function cbc(key: Uint8Array, data: Uint8Array, decrypt: boolean): Buffer {
  const name = `aes-${key.byteLength * 8}-cbc`;
  const iv = Buffer.alloc(BLOCK);
  const cipher = decrypt ? createDecipheriv(name, key, iv) : createCipheriv(name, key, iv);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

function ecbDecrypt(key: Uint8Array, block: Uint8Array): Buffer {
  const cipher = createDecipheriv(`aes-${key.byteLength * 8}-ecb`, key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}

/** CBC with ciphertext stealing, RFC 3962 section 5: the last two blocks always change places. */
export function ctsEncrypt(key: Uint8Array, data: Uint8Array): Buffer {
  if (data.byteLength <= BLOCK) return cbc(key, Buffer.concat([data, Buffer.alloc(BLOCK - data.byteLength)]), false);
  const padded = Buffer.alloc(Math.ceil(data.byteLength / BLOCK) * BLOCK);
  padded.set(data);
  const blocks = cbc(key, padded, false);
  const split = padded.byteLength - 2 * BLOCK;
  return Buffer.concat([
    blocks.subarray(0, split),
    blocks.subarray(split + BLOCK),
    blocks.subarray(split, split + data.byteLength - split - BLOCK),
  ]);
}

export function ctsDecrypt(key: Uint8Array, data: Uint8Array): Buffer {
  if (data.byteLength === BLOCK) return cbc(key, data, true);
  const rest = data.byteLength % BLOCK || BLOCK;
  const split = data.byteLength - BLOCK - rest;
  const last = data.subarray(split, split + BLOCK);
  const stolen = data.subarray(split + BLOCK);
  const middle = ecbDecrypt(key, last);
  const previous = Buffer.concat([stolen, middle.subarray(rest)]);
  const head = cbc(key, Buffer.concat([data.subarray(0, split), previous]), true);
  return Buffer.concat([head, xor(middle.subarray(0, rest), stolen)]);
}

/** n-fold, RFC 3961 section 5.1. */
function nfold(input: Uint8Array, size: number): Buffer {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  const length = (input.byteLength * size) / gcd(input.byteLength, size);
  const output = Buffer.alloc(size);
  const bits = input.byteLength * 8;
  let carry = 0;
  for (let i = length - 1; i >= 0; i--) {
    // The i-th byte of the repetitions, each rotated right by 13 bits more than the one before.
    const shift =
      (bits - 1 + (bits + 13) * Math.floor(i / input.byteLength) + 8 * (input.byteLength - (i % input.byteLength))) %
      bits;
    const high = input[(input.byteLength - 1 - (shift >>> 3)) % input.byteLength]!;
    const low = input[(input.byteLength - (shift >>> 3)) % input.byteLength]!;
    carry += (((high << 8) | low) >>> ((shift & 7) + 1)) & 0xff;
    carry += output[i % size]!;
    output[i % size] = carry & 0xff;
    carry >>>= 8;
  }
  for (let i = size - 1; carry !== 0; i = (i + size - 1) % size) {
    carry += output[i]!;
    output[i] = carry & 0xff;
    carry >>>= 8;
  }
  return output;
}

/** DK(key, constant), RFC 3961 section 5.1. */
export function deriveKey(key: Uint8Array, constant: Uint8Array): Buffer {
  let block: Buffer = nfold(constant, BLOCK);
  const parts: Buffer[] = [];
  for (let size = 0; size < key.byteLength; size += BLOCK) {
    block = cbc(key, block, false);
    parts.push(block);
  }
  return Buffer.concat(parts).subarray(0, key.byteLength);
}

/** Keys that were derived before: who alters a million tokens has the same few keys. */
const derived = new Map<string, Buffer>();

function usageKey(key: Uint8Array, usage: number, kind: number): Buffer {
  const name = `${Buffer.from(key).toString('latin1')}/${usage}/${kind}`;
  let found = derived.get(name);
  if (found === undefined) {
    const constant = Buffer.alloc(5);
    constant.writeUInt32BE(usage);
    constant[4] = kind;
    found = deriveKey(key, constant);
    if (derived.size > 256) derived.clear();
    derived.set(name, found);
  }
  return found;
}

function mac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac('sha1', key).update(data).digest().subarray(0, MAC);
}

/** Encrypts under a key usage of RFC 4120 section 7.5.1. */
export function encrypt(key: Uint8Array, usage: number, plain: Uint8Array): Buffer {
  const data = Buffer.concat([randomBytes(BLOCK), plain]);
  return Buffer.concat([ctsEncrypt(usageKey(key, usage, 0xaa), data), mac(usageKey(key, usage, 0x55), data)]);
}

/** @throws Error where the MAC is wrong */
export function decrypt(key: Uint8Array, usage: number, cipher: Uint8Array): Buffer {
  const data = ctsDecrypt(usageKey(key, usage, 0xaa), cipher.subarray(0, -MAC));
  if (!mac(usageKey(key, usage, 0x55), data).equals(cipher.subarray(-MAC))) throw new Error('wrong MAC');
  return data.subarray(BLOCK);
}

/** Keyed checksum hmac-sha1-96-aes. */
export function checksum(key: Uint8Array, usage: number, data: Uint8Array): Buffer {
  return mac(usageKey(key, usage, 0x99), data);
}
