/**
 * Copies a keytab into memory with libkrb5. libkrb5 opens a FILE keytab again for every ticket, and a MEMORY keytab
 * only once. libkrb5 itself copies the keys; they never pass through JavaScript.
 *
 * Only the keys of accepted services are copied. The reason: the service name in a ticket is not encrypted, and libkrb5
 * tries every key that it has. With all keys, a ticket for another service whose name was replaced would be accepted
 * (attack D05).
 */
import { systemRandom } from '../../../foundation/clock.ts';
import { SspiAuthError } from '../../../foundation/errors.ts';
import type { GssapiExtensions } from '../call/extensions.ts';
import { OpenKeytab } from './keytab-entries.ts';
import type { GssapiLibrary } from '../call/library.ts';
import { parsePrincipal } from '../../../formats/kerberos/principal.ts';

/**
 * A name that no other MEMORY keytab of this process has. libkrb5 has one list of them for the whole process. A counter
 * would begin anew in every worker thread and in every copy of this package, and credentials would share their keys.
 */
function memoryKeytabName(): string {
  return `MEMORY:sspi-auth-${Buffer.from(systemRandom(16)).toString('hex')}`;
}

/**
 * Copies a keytab file.
 *
 * @param path path of the keytab file
 * @param accepts whether tickets for a service are accepted, and so its key is copied
 * @returns the copy. Close it after the credential is acquired. libkrb5 keeps it until the credential is released
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` if libkrb5 cannot read the keytab, or if it has no key of an accepted
 *   service
 */
export function copyKeytab(
  library: GssapiLibrary,
  extensions: GssapiExtensions,
  path: string,
  accepts: (name: string, realm: string) => boolean,
): OpenKeytab {
  const source = new OpenKeytab(library, `FILE:${path}`);
  try {
    const copy = new OpenKeytab(library, memoryKeytabName());
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
          `sspi-auth: keytab ${path} has no key of an accepted service; ` +
            'export one to it, or change "servicePrincipalNames"',
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
