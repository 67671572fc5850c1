/** `sspi-auth keytab list`: what a keytab has, without its keys. */
import { readFileSync, statSync } from 'node:fs';
import { decodeKeytabKeys } from '../formats/kerberos/keytab.ts';
import type { KeytabKey } from '../formats/kerberos/keytab.ts';
import { encryptionTypeName } from '../formats/kerberos/kerberos-token.ts';
import { MalformedTokenError } from '../foundation/errors.ts';
import { fileExposure, processReader } from '../foundation/file-exposure.ts';
import { escapeUnsafe } from '../foundation/text.ts';
import { CommandError } from './usage-error.ts';

/** What to show. */
export interface KeytabText {
  readonly text: string;
  /** What others may do with the file; undefined if all is well. */
  readonly warning: string | undefined;
}

/** Encryption types with AES: RFC 3962 and RFC 8009. */
const strong = new Set([17, 18, 19, 20]);
const RC4 = 23;
/** Camellia, RFC 6803. */
const camellia = new Set([25, 26]);

/**
 * Lists a keytab.
 *
 * @throws CommandError if it cannot be read or is no keytab
 */
export function listKeytab(path: string): KeytabText {
  try {
    const bytes = readFileSync(path);
    const keys = decodeKeytabKeys(bytes);
    const text = `${path}: ${keys.length === 1 ? '1 key' : `${keys.length} keys`}\n${tableOf(keys)}`;
    bytes.fill(0);
    const reader = processReader();
    const exposure = reader === undefined ? undefined : fileExposure(path, statSync(path), reader);
    return { text, warning: exposure === undefined ? undefined : `the file ${exposure}` };
  } catch (error) {
    if (error instanceof MalformedTokenError) throw new CommandError(`${path} is no keytab: ${error.message}`);
    throw new CommandError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function tableOf(keys: readonly KeytabKey[]): string {
  const rows = keys.map((key) => [
    key.keyVersion === 0 ? 'any' : String(key.keyVersion),
    encryptionTypeName(key.encryptionType),
    key.timestamp === 0 ? '-' : new Date(key.timestamp * 1000).toISOString().replace('.000Z', 'Z'),
    `${escapeUnsafe(`${key.name}@${key.realm}`)}${weaknessOf(key.encryptionType)}`,
  ]);
  if (rows.length === 0) return '';
  const table = [['kvno', 'type', 'written', 'principal'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`).join('');
}

function weaknessOf(encryptionType: number): string {
  if (strong.has(encryptionType)) return '';
  if (encryptionType === RC4) return '  (weak: refused without option allowRc4)';
  if (camellia.has(encryptionType)) return "  (not known to provider 'portable')";
  return '  (weak: always refused)';
}
