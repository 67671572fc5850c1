/** The cryptography that forges tokens for tests, by encryption type. None of it is what the tests are about. */
import * as aesSha1 from './aes-sha1.ts';
import * as aesSha2 from './aes-sha2.ts';
import * as rc4 from './rc4-hmac.ts';

/** What an encryption type does. */
export interface Cipher {
  encrypt(key: Uint8Array, usage: number, plain: Uint8Array): Buffer;
  /** @throws Error where the MAC is wrong */
  decrypt(key: Uint8Array, usage: number, cipher: Uint8Array): Buffer;
  checksum(key: Uint8Array, usage: number, data: Uint8Array): Buffer;
}

const ciphers: ReadonlyMap<number, Cipher> = new Map<number, Cipher>([
  [17, aesSha1],
  [18, aesSha1],
  [19, aesSha2],
  [20, aesSha2],
  [23, rc4],
]);

/** @throws Error for a type that is not there */
export function cipherOf(encryptionType: number): Cipher {
  const found = ciphers.get(encryptionType);
  if (found === undefined) throw new Error(`no cipher of encryption type ${encryptionType}`);
  return found;
}
