/**
 * Keytab files: their path, their entries, and whether a file changed. The keys are not read here (memory-keytab.ts).
 */
import { readFileSync, statSync } from 'node:fs';
import { decodeKeytab } from '../../../formats/kerberos/keytab.ts';
import type { KeytabListing } from '../../../kerberos/diagnosis.ts';

/**
 * The file path in the name of a keytab.
 *
 * @param name a name as in krb5.conf and KRB5_KTNAME: a path, `FILE:path` or `WRFILE:path`
 * @returns undefined for a keytab of another type, which is not a file
 */
export function keytabPath(name: string): string | undefined {
  const match = /^(?:(FILE|WRFILE|[A-Za-z]{2,}):)?(.+)$/s.exec(name);
  if (match === null) return undefined;
  const [, type, rest] = match;
  return type === undefined || type === 'FILE' || type === 'WRFILE' ? rest : undefined;
}

/**
 * Lists the entries of a keytab file.
 *
 * @throws Error of the file system if the file cannot be read
 * @throws MalformedTokenError `ERR_SSPI_AUTH_MALFORMED` if the file is not a keytab
 */
export function readKeytab(path: string): KeytabListing {
  return { path, entries: decodeKeytab(readFileSync(path)) };
}

/** A text that changes when the file is written or replaced by another one. Undefined if there is no file. */
export function fileSignature(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : [stat.dev, stat.ino, stat.size, stat.mtimeNs].join(':');
}
