/**
 * A keytab copied into memory with libkrb5: a FILE keytab is opened again for every accept, a MEMORY one is not. The keys
 * go from libkrb5 to libkrb5 and never through JavaScript.
 */
import { OpenKeytab } from './keytab-entries.ts';
import type { GssapiLibrary } from './library.ts';

let serial = 0;

/**
 * Copies a keytab file.
 *
 * @returns the copy, which lives until it is closed and the credentials made from it are released
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` where libkrb5 cannot read it
 */
export function copyKeytab(library: GssapiLibrary, path: string): OpenKeytab {
  const source = new OpenKeytab(library, `FILE:${path}`);
  try {
    const copy = new OpenKeytab(library, `MEMORY:sspi-auth-${process.pid}-${++serial}`);
    try {
      source.forEach((entry) => {
        copy.add(entry);
        return false;
      });
      return copy;
    } catch (error) {
      copy.close();
      throw error;
    }
  } finally {
    source.close();
  }
}
