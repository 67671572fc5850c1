/** Tickets that a client forwards: reads them, and keeps the first in a credential cache file of its own. */
import { writeFileSync } from 'node:fs';
import { KEY_USAGE_KRB_CRED } from '../../crypto/kerberos/kerberos-key.ts';
import type { KerberosKey } from '../../crypto/kerberos/kerberos-key.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';
import { encodeCredentialCache } from '../../formats/kerberos/credential-cache.ts';
import { decodeEncKrbCredPart, decodeKrbCred } from '../../formats/kerberos/krb-cred.ts';

/** etype of a part in the clear. MIT krb5 once sent it so: the authenticator around it is encrypted. */
const NO_ENCRYPTION = 0;

/**
 * Reads a KRB-CRED and makes the credential cache of its first ticket.
 *
 * @param message from the checksum of an authenticator
 * @param keys that the client may have used: its subkey, the session key
 * @returns the bytes of the cache, which the caller wipes
 * @throws MalformedTokenError if it cannot be decrypted, is malformed, or does not describe its tickets (attack D20)
 */
export function forwardedCache(message: Uint8Array, keys: readonly (KerberosKey | undefined)[]): Buffer {
  const { tickets, encryptionType, cipher } = decodeKrbCred(message);
  if (encryptionType === NO_ENCRYPTION) return encodeCredentialCache(decodeEncKrbCredPart(cipher, tickets)[0]);
  for (const key of keys) {
    if (key?.encryptionType !== encryptionType) continue;
    const plain = key.decrypt(KEY_USAGE_KRB_CRED, cipher);
    if (plain === undefined) continue;
    try {
      return encodeCredentialCache(decodeEncKrbCredPart(plain, tickets)[0]);
    } finally {
      plain.fill(0);
    }
  }
  throw new MalformedTokenError('KRB-CRED', 'cannot be decrypted with the keys of the client');
}

/** Writes a credential cache that nobody else can read. @throws Error of the file system */
export function writeCache(path: string, cache: Uint8Array): boolean {
  writeFileSync(path, cache, { mode: 0o600, flag: 'wx' });
  return true;
}
