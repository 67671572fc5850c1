/**
 * Reads the ticket and the Authenticator of an accepted context. Heimdal does not give them, but it gives the service
 * key. With that key they are decrypted here.
 */
import { MalformedTokenError } from '../../../foundation/errors.ts';
import { decodeAuthenticator } from '../../../formats/kerberos/authenticator.ts';
import type { Authenticator } from '../../../formats/kerberos/authenticator.ts';
import { decodeTicketClient } from '../../../formats/kerberos/enc-ticket-part.ts';
import type { ApRequestHeader } from '../../../formats/kerberos/kerberos-token.ts';
import type { Principal } from '../../../formats/kerberos/principal.ts';
import type { KeytabKey } from '../call/extensions.ts';
import type { Frame } from '../call/frame.ts';
import { openAuthenticator, openTicket } from '../call/open-authenticator.ts';
import { inquireKey } from './inquiry.ts';
import type { HeimdalOids } from './inquiry.ts';
import { heimdalDecrypt, heimdalKeyblock } from './keys.ts';

const functions = Object.freeze({ decrypt: heimdalDecrypt, keyblock: heimdalKeyblock });

/**
 * The Authenticator of the accepted context in the frame.
 *
 * @param request the AP-REQ that was accepted
 * @returns undefined if it cannot be read here, although Heimdal could read it. The caller must then assume the worst
 *   of what it could contain
 */
export function heimdalAuthenticator(
  frame: Frame,
  oids: HeimdalOids,
  request: ApRequestHeader,
): Authenticator | undefined {
  try {
    return withServiceKey(frame, oids, (key) =>
      openAuthenticator(frame.library, functions, key, request, (bytes) => {
        const { time, authorizationData } = decodeAuthenticator(bytes);
        // Copied: the bytes are wiped.
        return { time, authorizationData: authorizationData && Uint8Array.from(authorizationData) };
      }),
    );
  } catch (error) {
    if (error instanceof MalformedTokenError) return undefined;
    throw error;
  }
}

/**
 * The client of the ticket of the accepted context in the frame.
 *
 * @param request the AP-REQ that was accepted
 * @returns undefined if the ticket cannot be decrypted here, although Heimdal could decrypt it
 * @throws MalformedTokenError if the ticket is not well-formed, or the name is not UTF-8
 */
export function heimdalTicketClient(frame: Frame, oids: HeimdalOids, request: ApRequestHeader): Principal | undefined {
  return withServiceKey(frame, oids, (key) => openTicket(frame.library, functions, key, request, decodeTicketClient));
}

/** Has the service key of the accepted context used. Undefined if Heimdal does not give it. */
function withServiceKey<T>(frame: Frame, oids: HeimdalOids, use: (key: KeytabKey) => T): T | undefined {
  const { library } = frame;
  const key = inquireKey(frame, oids.serviceKey);
  if (key === undefined) return undefined;
  const { encryptionType, value } = key;
  const keyblock = heimdalKeyblock(library, encryptionType, value);
  try {
    return use({ encryptionType, keyblock: library.addressOf(keyblock) });
  } finally {
    value.fill(0);
    keyblock.fill(0);
  }
}
