/**
 * The encrypted part of an AP-REQ (Authenticator, RFC 4120 section 5.5.1), for what an implementation does not verify or
 * tell. Looked at only after the library has decrypted it once: who it is from is settled by then.
 */
import { decodeTicketSessionKey } from '../../../formats/kerberos/kerberos-token.ts';
import type { ApRequestHeader } from '../../../formats/kerberos/kerberos-token.ts';
import type { GssapiExtensions, KeytabKey } from './extensions.ts';
import type { GssapiLibrary } from './library.ts';

/** Key usages, RFC 4120 section 7.5.1. */
const USAGE_TICKET = 2;
const USAGE_AUTHENTICATOR = 11;

/**
 * Decrypts the ticket, and with the key in it the authenticator.
 *
 * @param key of the service
 * @returns undefined where the key does not fit
 * @throws MalformedTokenError where the ticket is none
 */
export function openAuthenticator(
  library: GssapiLibrary,
  extensions: Pick<GssapiExtensions, 'decrypt' | 'keyblock'>,
  key: KeytabKey,
  request: ApRequestHeader,
): Buffer | undefined {
  const ticket = extensions.decrypt(library, key, USAGE_TICKET, request.ticketCipher);
  if (ticket === undefined) return undefined;
  let keyblock: Buffer | undefined;
  try {
    const { encryptionType, value } = decodeTicketSessionKey(ticket);
    keyblock = extensions.keyblock(library, encryptionType, value);
    const sessionKey = { encryptionType, keyblock: library.addressOf(keyblock) };
    return extensions.decrypt(library, sessionKey, USAGE_AUTHENTICATOR, request.authenticatorCipher);
  } finally {
    // Overwritten after the calls that read them, so that neither is collected before.
    ticket.fill(0);
    keyblock?.fill(0);
  }
}
