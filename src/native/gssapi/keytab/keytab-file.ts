/** The entries of a keytab file. The keys are not read here (memory-keytab.ts). */
import { readFileSync } from 'node:fs';
import { decodeKeytab } from '../../../formats/kerberos/keytab.ts';
import type { KeytabListing } from '../../../kerberos/diagnosis.ts';

/**
 * Lists the entries of a keytab file.
 *
 * @throws Error of the file system if the file cannot be read
 * @throws MalformedTokenError `ERR_SSPI_AUTH_MALFORMED` if the file is not a keytab
 */
export function readKeytab(path: string): KeytabListing {
  return { path, entries: decodeKeytab(readFileSync(path)) };
}
