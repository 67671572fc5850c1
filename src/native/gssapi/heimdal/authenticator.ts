/**
 * Reads the Authenticator of an accepted context. Heimdal does not give it, but it gives the service key. With that key
 * the ticket and the Authenticator are decrypted here.
 */
import { MalformedTokenError } from '../../../foundation/errors.ts';
import type { ApRequestHeader } from '../../../formats/kerberos/kerberos-token.ts';

import type { Frame } from '../call/frame.ts';
import { inquireKey } from './inquiry.ts';
import type { HeimdalOids } from './inquiry.ts';
import { heimdalDecrypt, heimdalKeyblock } from './keys.ts';
import type { Authenticator } from '../../../formats/kerberos/authenticator.ts';
import { decodeAuthenticator } from '../../../formats/kerberos/authenticator.ts';
import { openAuthenticator } from '../call/open-authenticator.ts';

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
  const { library } = frame;
  const key = inquireKey(frame, oids.serviceKey);
  if (key === undefined) return undefined;
  const { encryptionType, value } = key;
  const keyblock = heimdalKeyblock(library, encryptionType, value);
  try {
    const serviceKey = { encryptionType, keyblock: library.addressOf(keyblock) };
    const opened = openAuthenticator(library, functions, serviceKey, request);
    return opened === undefined ? undefined : decodeAuthenticator(opened);
  } catch (error) {
    if (error instanceof MalformedTokenError) return undefined;
    throw error;
  } finally {
    value.fill(0);
    keyblock.fill(0);
  }
}
