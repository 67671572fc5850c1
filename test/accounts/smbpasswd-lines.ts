/** Lines of an smbpasswd file for tests, and what a source says to a logon. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { AccountSource } from '../../src/accounts/account-source.ts';
import { ntowfv1 } from '../../src/crypto/ntlm-keys.ts';
import { logon } from './ntlm-logon.ts';

export const NO_LM = 'X'.repeat(32);
export const hashOf = (password: string): string => Buffer.from(ntowfv1(password)).toString('hex').toUpperCase();

/** A line as Samba writes it. */
export const line = (user: string, password: string, flags = '[U          ]'): string =>
  `${user}:1000:${NO_LM}:${hashOf(password)}:${flags}:LCT-65A1B2C3:`;

/** Writes an account file as its owner should: nobody else may read it. */
export function writeAccounts(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { mode: 0o600 });
}

export function result(source: AccountSource, userName: string, password: string, domain = ''): string {
  const verified = source.verifyNtlm!(logon({ userName, domain, password }));
  assert.ok(!(verified instanceof Promise));
  return verified.result;
}
