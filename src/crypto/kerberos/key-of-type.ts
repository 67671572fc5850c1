/** Makes keys of each encryption type. */
import { AesSha1Key } from './aes-sha1-key.ts';
import { AesSha2Key } from './aes-sha2-key.ts';
import { encryptionProfile } from './kerberos-key.ts';
import type { KerberosKey } from './kerberos-key.ts';
import { Rc4Key } from './rc4-key.ts';

/**
 * Makes a key.
 *
 * @param value copied
 * @returns undefined if the type is not supported or the value has not its length
 */
export function keyOfType(encryptionType: number, value: Uint8Array): KerberosKey | undefined {
  const profile = encryptionProfile(encryptionType);
  if (profile?.keyBytes !== value.byteLength) return undefined;
  // Not a slice of Node's pool: wiping must be the last that is seen of it.
  const own = Uint8Array.from(value);
  switch (encryptionType) {
    case 17:
    case 18:
      return new AesSha1Key(encryptionType, own);
    case 19:
    case 20:
      return new AesSha2Key(encryptionType, own);
    default:
      return new Rc4Key(own);
  }
}
