/** Keytab files: which one counts, what is in it, and whether it changed. The keys stay with libkrb5 (memory-keytab.ts). */
import { readFileSync, statSync } from 'node:fs';
import { decodeKeytab } from '../../../formats/kerberos/keytab.ts';
import type { KeytabEntry } from '../../../formats/kerberos/keytab.ts';

/** A keytab that was read. */
export interface KeytabListing {
  readonly path: string;
  readonly entries: readonly KeytabEntry[];
}

/**
 * The path of a keytab's name.
 *
 * @param name as krb5.conf and KRB5_KTNAME take it: a path, `FILE:path` or `WRFILE:path`
 * @returns undefined for a keytab of another type, which is no file
 */
export function keytabPath(name: string): string | undefined {
  const match = /^(?:(FILE|WRFILE|[A-Za-z]{2,}):)?(.+)$/s.exec(name);
  if (match === null) return undefined;
  const [, type, rest] = match;
  return type === undefined || type === 'FILE' || type === 'WRFILE' ? rest : undefined;
}

/**
 * Lists the keys of a keytab file.
 *
 * @throws Error of the file system where it cannot be read; MalformedTokenError where it is no keytab
 */
export function readKeytab(path: string): KeytabListing {
  return { path, entries: decodeKeytab(readFileSync(path)) };
}

/** Whether a service name is one of HTTP: `HTTP/host`, in any case (RFC 4559 section 4.1). */
export function isHttpService(name: string): boolean {
  return name.startsWith('HTTP/') || /^http\//i.test(name);
}

/** What changes when a file is written or another one is put in its place; undefined where there is no file. */
export function fileSignature(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : [stat.dev, stat.ino, stat.size, stat.mtimeNs].join(':');
}
