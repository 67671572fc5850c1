/** `sspi-auth keytab create`: the keytab of a service account, from its password. */
import { closeSync, fsyncSync, linkSync, lstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { stringToKey } from '../crypto/kerberos/string-to-key.ts';
import { encodeKeytab } from '../formats/kerberos/keytab-writer.ts';
import { splitPrincipal } from '../formats/kerberos/principal.ts';
import { principalSalt } from '../formats/kerberos/principal-salt.ts';
import { systemClock } from '../foundation/clock.ts';
import type { Clock } from '../foundation/clock.ts';
import type { KeytabCreateOptions } from './keytab-arguments.ts';
import { listKeytab } from './keytab-list.ts';
import { CommandError } from './usage-error.ts';

/**
 * Writes a keytab: it appears complete, for its owner alone, and replaces a file only if it was told to.
 *
 * @returns what was written, without the keys
 * @throws CommandError if the file is there, or cannot be written
 */
export function createKeytab(options: KeytabCreateOptions, password: string, clock: Clock = systemClock): string {
  const { file, realm, account, services, keyVersion, encryptionTypes, force } = options;
  if (!force) refuseExisting(file);
  const salt = options.salt ?? principalSalt(account, realm);
  const keys = encryptionTypes.map((encryptionType) => ({
    encryptionType,
    value: stringToKey(encryptionType, password, salt),
  }));
  const entries = services.flatMap((service) => {
    const { components } = splitPrincipal(service);
    return keys.map((key) => ({ ...key, components, realm, keyVersion }));
  });
  const bytes = encodeKeytab(entries, Math.floor(clock.now() / 1000));
  for (const { value } of keys) value.fill(0);
  try {
    writeWhole(file, bytes, force);
  } finally {
    bytes.fill(0);
  }
  return `${listKeytab(file).text}Salt: ${salt}\n`;
}

function refuseExisting(file: string): void {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return;
  throw new CommandError(`${file} is there already; give --force to replace it`);
}

function writeWhole(file: string, bytes: Uint8Array, force: boolean): void {
  const part = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const descriptor = openSync(part, 'wx', 0o600);
    try {
      writeSync(descriptor, bytes);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (force) renameSync(part, file);
    else linkSync(part, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') refuseExisting(file);
    throw new CommandError(`cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    rmSync(part, { force: true });
  }
}
