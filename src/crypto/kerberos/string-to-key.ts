/** Keys from passwords: RFC 3962 section 4 (17, 18), RFC 8009 section 4 (19, 20) and RFC 4757 section 2 (23). */
import { pbkdf2Sync } from 'node:crypto';
import { ntowfv1 } from '../ntlm-keys.ts';
import { deriveAesKey } from './aes-sha1-key.ts';
import { deriveSha2Key } from './aes-sha2-key.ts';

/** The default iteration counts of RFC 3962 and RFC 8009. KDCs of MIT, Heimdal, Samba and Windows use no others. */
const SHA1_ITERATIONS = 4096;
const SHA2_ITERATIONS = 32_768;

/** The constant of both. */
const constant = Buffer.from('kerberos', 'latin1');

/** Names that RFC 8009 puts before the salt, with the zero byte after them. */
const sha2Names: ReadonlyMap<number, string> = new Map([
  [19, 'aes128-cts-hmac-sha256-128\0'],
  [20, 'aes256-cts-hmac-sha384-192\0'],
]);

/** Encryption types whose key a password gives, the strongest first. */
export const PASSWORD_ENCRYPTION_TYPES: readonly number[] = [20, 19, 18, 17, 23];

/**
 * Makes the key of a password.
 *
 * @param password as its owner types it
 * @param salt of the principal; RC4 has none
 * @param rounds of PBKDF2, unless they are the default that all KDCs use
 * @returns the caller wipes it
 * @throws RangeError if the encryption type is none of PASSWORD_ENCRYPTION_TYPES
 */
export function stringToKey(
  encryptionType: number,
  password: string,
  salt: string | Uint8Array,
  rounds = encryptionType < 19 ? SHA1_ITERATIONS : SHA2_ITERATIONS,
): Uint8Array {
  const salted = typeof salt === 'string' ? Buffer.from(salt, 'utf8') : salt;
  switch (encryptionType) {
    case 17:
    case 18: {
      const bytes = encryptionType === 17 ? 16 : 32;
      const seed = pbkdf2Sync(password, salted, rounds, bytes, 'sha1');
      const key = deriveAesKey(seed, constant);
      seed.fill(0);
      return key;
    }
    case 19:
    case 20: {
      const bytes = encryptionType === 19 ? 16 : 32;
      const named = Buffer.concat([Buffer.from(sha2Names.get(encryptionType) ?? '', 'latin1'), salted]);
      const seed = pbkdf2Sync(password, named, rounds, bytes, encryptionType === 19 ? 'sha256' : 'sha384');
      const key = deriveSha2Key(encryptionType, seed, constant, bytes);
      seed.fill(0);
      return key;
    }
    case 23:
      return ntowfv1(password);
    default:
      throw new RangeError(`a password gives no key of encryption type ${encryptionType}`);
  }
}
