/** Names of keytabs. */

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
