/**
 * Decrypts the Authenticator of an AP-REQ (RFC 4120 section 5.5.1). It is needed for what an implementation does not
 * verify or does not report. It is done only after the library itself has decrypted the Authenticator, so it is known
 * to be authentic.
 */
import { decodeTicketSessionKey } from '../../../formats/kerberos/kerberos-token.ts';
import type { ApRequestHeader } from '../../../formats/kerberos/kerberos-token.ts';
import type { GssapiExtensions, KeytabKey } from './extensions.ts';
import type { GssapiLibrary } from './library.ts';

/** Key usages, RFC 4120 section 7.5.1. */
const USAGE_TICKET = 2;
const USAGE_AUTHENTICATOR = 11;

/**
 * Decrypts the ticket, and with its session key the Authenticator.
 *
 * @param key key of the service
 * @returns the plain Authenticator; undefined if the ticket or the Authenticator cannot be decrypted
 * @throws MalformedTokenError `ERR_SSPI_AUTH_MALFORMED` if the decrypted ticket is not well-formed
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
    // Keys must not stay in memory. This use after the calls also keeps both buffers from being collected before.
    ticket.fill(0);
    keyblock?.fill(0);
  }
}
