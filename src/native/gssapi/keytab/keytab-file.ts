/**
 * Keytab files: their path, their entries, and whether a file changed. The keys are not read here (memory-keytab.ts).
 */
import { readFileSync, statSync } from 'node:fs';
import { describeFileAccess } from '../../../foundation/file-access.ts';
import { processReader } from '../../../foundation/file-exposure.ts';
import { decodeKeytab } from '../../../formats/kerberos/keytab.ts';
import type { KeytabEntry } from '../../../formats/kerberos/keytab.ts';

/** The entries of a keytab file, without their keys. */
export interface KeytabListing {
  readonly path: string;
  readonly entries: readonly KeytabEntry[];
}

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

/** Whether a service name is that of an HTTP service: `HTTP/host`, in any case (RFC 4559 section 4.1). */
export function isHttpService(name: string): boolean {
  return name.startsWith('HTTP/') || /^http\//i.test(name);
}

/** A text that changes when the file is written or replaced by another one. Undefined if there is no file. */
export function fileSignature(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : [stat.dev, stat.ino, stat.size, stat.mtimeNs].join(':');
}

/** Whether the file system refused because of rights. */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
}

/** Who reads a file and whose it is; undefined where that cannot be found out, as in a folder that is closed too. */
export function fileAccess(path: string): string | undefined {
  const reader = processReader();
  try {
    return reader === undefined ? undefined : describeFileAccess(statSync(path), reader);
  } catch {
    return undefined;
  }
}
