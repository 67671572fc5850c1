/**
 * Computes how much the clock of a client differs: libkrb5 only tells that it differs too much. This is done only after
 * a refusal for that reason. The library has then already decrypted the ticket with a key of the keytab.
 */
import { decodeAuthenticatorTime } from '../../../formats/kerberos/kerberos-token.ts';
import type { ApRequestHeader } from '../../../formats/kerberos/kerberos-token.ts';

import type { GssapiExtensions } from '../call/extensions.ts';
import { OpenKeytab } from './keytab-entries.ts';
import type { GssapiLibrary } from '../call/library.ts';
import { openAuthenticator } from '../call/open-authenticator.ts';

/**
 * The time of the client minus the time of the server.
 *
 * @param keytab path of the keytab
 * @param now time of the server in milliseconds since 1970-01-01 UTC
 * @returns whole seconds; undefined if it cannot be found out
 */
export function clockSkew(
  library: GssapiLibrary,
  extensions: GssapiExtensions,
  keytab: string,
  request: ApRequestHeader,
  now: number,
): number | undefined {
  let skew: number | undefined;
  let opened: OpenKeytab | undefined;
  try {
    opened = new OpenKeytab(library, `FILE:${keytab}`);
    opened.forEach((entry) => {
      const key = extensions.keytabKey(entry);
      if (key.encryptionType !== request.ticket.encryptionType) return false;
      const time = openAuthenticator(library, extensions, key, request, decodeAuthenticatorTime);
      if (time === undefined) return false;
      skew = Math.round((time - now) / 1000);
      return true;
    });
  } catch {
    // The ticket is refused in any case. Only the diagnosis has less detail.
    return undefined;
  } finally {
    opened?.close();
  }
  return skew;
}
