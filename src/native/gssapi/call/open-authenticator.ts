/**
 * Decrypts the Authenticator of an AP-REQ (RFC 4120 section 5.5.1). It is needed for what an implementation does not
 * verify or does not report. It is done only after the library itself has decrypted the Authenticator, so it is known
 * to be authentic.
 */
import { decodeTicketSessionKey } from '../../../formats/kerberos/enc-ticket-part.ts';
import type { ApRequestHeader } from '../../../formats/kerberos/kerberos-token.ts';
import type { GssapiExtensions, KeytabKey } from './extensions.ts';
import type { GssapiLibrary } from './library.ts';

/** Key usages, RFC 4120 section 7.5.1. */
const USAGE_TICKET = 2;
const USAGE_AUTHENTICATOR = 11;

/** The functions of GssapiExtensions that decrypt. */
type Decryption = Pick<GssapiExtensions, 'decrypt' | 'keyblock'>;

/**
 * Decrypts the ticket, and has its content read.
 *
 * @param key key of the service
 * @param read is given the EncTicketPart, which is wiped afterwards: it must copy what it keeps
 * @returns what `read` returned; undefined if the ticket cannot be decrypted
 */
export function openTicket<T>(
  library: GssapiLibrary,
  { decrypt }: Pick<Decryption, 'decrypt'>,
  key: KeytabKey,
  request: ApRequestHeader,
  read: (encTicketPart: Buffer) => T,
): T | undefined {
  const ticket = decrypt(library, key, USAGE_TICKET, request.ticketCipher);
  if (ticket === undefined) return undefined;
  try {
    return read(ticket);
  } finally {
    // Keys must not stay in memory.
    ticket.fill(0);
  }
}

/**
 * Decrypts the ticket, with its session key the Authenticator, and has that read.
 *
 * @param key key of the service
 * @param read is given the Authenticator, which is wiped afterwards: it must copy what it keeps
 * @returns what `read` returned; undefined if the ticket or the Authenticator cannot be decrypted
 * @throws MalformedTokenError `ERR_SSPI_AUTH_MALFORMED` if the decrypted ticket is not well-formed
 */
export function openAuthenticator<T>(
  library: GssapiLibrary,
  extensions: Decryption,
  key: KeytabKey,
  request: ApRequestHeader,
  read: (authenticator: Buffer) => T,
): T | undefined {
  return openTicket(library, extensions, key, request, (ticket) => {
    const { encryptionType, value } = decodeTicketSessionKey(ticket);
    const keyblock = extensions.keyblock(library, encryptionType, value);
    try {
      const sessionKey = { encryptionType, keyblock: library.addressOf(keyblock) };
      const authenticator = extensions.decrypt(library, sessionKey, USAGE_AUTHENTICATOR, request.authenticatorCipher);
      if (authenticator === undefined) return undefined;
      try {
        return read(authenticator);
      } finally {
        // It has the subkey.
        authenticator.fill(0);
      }
    } finally {
      // This use after the calls also keeps the buffer from being collected before.
      keyblock.fill(0);
    }
  });
}
