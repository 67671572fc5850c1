/** arcfour-hmac (RFC 4757), as aes-sha1.ts has the types of AES. OpenSSL 3 has RC4 no more: it is written out here. */
import { createHash, createHmac, randomBytes } from 'node:crypto';

const CONFOUNDER = 8;
const MAC = 16;

function rc4(key: Uint8Array, data: Uint8Array): Buffer {
  const state = Array.from({ length: 256 }, (_, index) => index);
  const at = (index: number): number => state[index & 0xff] ?? 0;
  const swap = (a: number, b: number): void => {
    [state[a], state[b]] = [at(b), at(a)];
  };
  for (let index = 0, other = 0; index < 256; index++) {
    other = (other + at(index) + (key[index % key.byteLength] ?? 0)) & 0xff;
    swap(index, other);
  }
  const output = Buffer.alloc(data.byteLength);
  for (let position = 0, other = 0; position < data.byteLength; position++) {
    const index = (position + 1) & 0xff;
    other = (other + at(index)) & 0xff;
    swap(index, other);
    output[position] = (data[position] ?? 0) ^ at(at(index) + at(other));
  }
  return output;
}

function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac('md5', key).update(data).digest();
}

/** Section 3: the key usage as Microsoft numbers it, little-endian. */
function salt(usage: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(usage === 3 || usage === 9 ? 8 : usage);
  return bytes;
}

/** Encrypts under a key usage of RFC 4120 section 7.5.1. */
export function encrypt(key: Uint8Array, usage: number, plain: Uint8Array): Buffer {
  const usageKey = hmac(key, salt(usage));
  const message = Buffer.concat([randomBytes(CONFOUNDER), plain]);
  const mac = hmac(usageKey, message);
  return Buffer.concat([mac, rc4(hmac(usageKey, mac), message)]);
}

/** @throws Error where the MAC is wrong */
export function decrypt(key: Uint8Array, usage: number, cipher: Uint8Array): Buffer {
  const usageKey = hmac(key, salt(usage));
  const mac = cipher.subarray(0, MAC);
  const message = rc4(hmac(usageKey, mac), cipher.subarray(MAC));
  if (!hmac(usageKey, message).equals(mac)) throw new Error('wrong MAC');
  return message.subarray(CONFOUNDER);
}

/** HMAC_MD5 of section 4, as MS-PAC wants it of a PAC (usage 17). */
export function checksum(key: Uint8Array, usage: number, data: Uint8Array): Buffer {
  const signing = hmac(key, Buffer.from('signaturekey\0', 'latin1'));
  return hmac(signing, createHash('md5').update(salt(usage)).update(data).digest());
}
