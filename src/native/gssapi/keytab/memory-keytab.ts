/**
 * A keytab copied into memory with libkrb5: a FILE keytab is opened again for every accept, a MEMORY one is not. The keys
 * go from libkrb5 to libkrb5 and never through JavaScript.
 *
 * Only the keys of services that are taken are copied. The name of the service is in the clear part of a ticket, and
 * libkrb5 tries every key it has: a ticket for another service, with a name put over its own, would be accepted (attack D05).
 */
import { SspiAuthError } from '../../../foundation/errors.ts';
import type { GssapiExtensions } from '../call/extensions.ts';
import { OpenKeytab } from './keytab-entries.ts';
import type { GssapiLibrary } from '../call/library.ts';
import { parsePrincipal } from '../../../formats/kerberos/principal.ts';

let serial = 0;

/**
 * Copies a keytab file.
 *
 * @param accepts whether the key of a service is wanted
 * @returns the copy, which lives until it is closed and the credentials made from it are released
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` where libkrb5 cannot read it, or it has no such key
 */
export function copyKeytab(
  library: GssapiLibrary,
  extensions: GssapiExtensions,
  path: string,
  accepts: (name: string, realm: string) => boolean,
): OpenKeytab {
  const source = new OpenKeytab(library, `FILE:${path}`);
  try {
    const copy = new OpenKeytab(library, `MEMORY:sspi-auth-${process.pid}-${++serial}`);
    try {
      let copied = 0;
      source.forEach((entry) => {
        const principal = parsePrincipal(extensions.keytabPrincipal(library, entry) ?? '');
        if (principal !== undefined && accepts(principal.name, principal.realm)) {
          copy.add(entry);
          copied++;
        }
        return false;
      });
      if (copied === 0) {
        throw new SspiAuthError(
          'ERR_SSPI_AUTH_STATUS',
          `sspi-auth: keytab ${path} has no key of a service that is taken; export one to it, or change "servicePrincipalNames"`,
        );
      }
      return copy;
    } catch (error) {
      copy.close();
      throw error;
    }
  } finally {
    source.close();
  }
}
