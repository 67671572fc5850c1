/**
 * By how much the clock of a client is off: libkrb5 only says that it is. Computed after a refusal for that reason alone,
 * when the ticket has already been decrypted once with a key of the keytab.
 */
import { decodeAuthenticatorTime, decodeTicketSessionKey } from '../../formats/kerberos-token.ts';
import type { ApRequestHeader } from '../../formats/kerberos-token.ts';
import { ENTRY_KEY_OFFSET, OpenKeytab } from './keytab-entries.ts';
import type { GssapiLibrary } from './library.ts';

/** Key usages, RFC 4120 section 7.5.1. */
const USAGE_TICKET = 2;
const USAGE_AUTHENTICATOR = 11;

/**
 * The client's time less the server's.
 *
 * @param keytab path of the keytab
 * @param now milliseconds since 1970-01-01 UTC
 * @returns whole seconds; undefined where it cannot be found out
 */
export function clockSkew(
  library: GssapiLibrary,
  keytab: string,
  request: ApRequestHeader,
  now: number,
): number | undefined {
  let skew: number | undefined;
  let opened: OpenKeytab | undefined;
  try {
    opened = new OpenKeytab(library, `FILE:${keytab}`);
    opened.forEach((entry) => {
      const keyblock = entry.address + BigInt(ENTRY_KEY_OFFSET);
      if (entry.bytes.readInt32LE(ENTRY_KEY_OFFSET + 4) !== request.ticket.encryptionType) return false;
      const ticket = decrypt(library, keyblock, USAGE_TICKET, request.ticket.encryptionType, request.ticketCipher);
      if (ticket === undefined) return false;
      const { encryptionType, value } = decodeTicketSessionKey(ticket);
      const sessionKey = keyblockOf(library, encryptionType, value);
      const cipher = request.authenticatorCipher;
      const authenticator = decrypt(
        library,
        library.addressOf(sessionKey),
        USAGE_AUTHENTICATOR,
        encryptionType,
        cipher,
      );
      if (authenticator !== undefined) skew = Math.round((decodeAuthenticatorTime(authenticator) - now) / 1000);
      ticket.fill(0);
      return true;
    });
  } catch {
    // The verdict stands; only its explanation is poorer.
    return undefined;
  } finally {
    opened?.close();
  }
  return skew;
}

/** krb5_keyblock (krb5.h): magic, enctype, length, contents; the key's bytes must stay referenced. */
function keyblockOf(library: GssapiLibrary, encryptionType: number, key: Uint8Array): Buffer {
  const keyblock = Buffer.alloc(24);
  keyblock.writeInt32LE(encryptionType, 4);
  keyblock.writeUInt32LE(key.byteLength, 8);
  keyblock.writeBigUInt64LE(library.addressOf(key), 16);
  return keyblock;
}

/** krb5_c_decrypt; undefined where the key does not fit. */
function decrypt(
  library: GssapiLibrary,
  keyblock: bigint,
  usage: number,
  encryptionType: number,
  cipher: Uint8Array,
): Buffer | undefined {
  const output = Buffer.alloc(cipher.byteLength);
  // krb5_enc_data: magic, enctype, kvno, then krb5_data: magic, length, data.
  const input = Buffer.alloc(32);
  input.writeInt32LE(encryptionType, 4);
  input.writeUInt32LE(cipher.byteLength, 20);
  input.writeBigUInt64LE(library.addressOf(cipher), 24);
  const data = Buffer.alloc(16);
  data.writeUInt32LE(output.byteLength, 4);
  data.writeBigUInt64LE(library.addressOf(output), 8);
  const { krb5, krb5Context } = library;
  const code = krb5.decrypt(krb5Context, keyblock, usage, null, library.addressOf(input), library.addressOf(data));
  return code === 0 ? output.subarray(0, data.readUInt32LE(4)) : undefined;
}
