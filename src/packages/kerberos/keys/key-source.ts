/** Opens the keys that option `keytab` means: a path, the bytes of a keytab, or what kerberosKeys made. */
import { decodeKeytabKeys } from '../../../formats/kerberos/keytab.ts';
import type { KeytabKey } from '../../../formats/kerberos/keytab.ts';
import { keytabPath } from '../../../formats/kerberos/keytab-name.ts';
import { requireUsableKeys } from '../../../formats/kerberos/usable-keys.ts';
import type { Clock } from '../../../foundation/clock.ts';
import { MalformedTokenError, OptionError } from '../../../foundation/errors.ts';
import { shown, text } from '../../../foundation/option-values.ts';
import type { Reader } from '../../../foundation/option-values.ts';
import { Secret } from '../../../foundation/secret.ts';
import type { AcceptedServices, KeySource, ServiceKeys } from '../service-keys.ts';
import { GivenKeys } from './given-keys.ts';
import { KerberosKeys } from './kerberos-keys.ts';
import { KeytabFileKeys } from './keytab-file-keys.ts';

/** What option `keytab` is after it was read: a path, bytes, or keys. */
export type KeytabValue = string | Secret | KerberosKeys;

/** Reads option `keytab`. Bytes are copied, and nothing prints them. */
export const keytab: Reader<KeytabValue, string | Uint8Array | KerberosKeys> = (value, option) => {
  if (value instanceof KerberosKeys || value instanceof Secret) return value;
  if (value instanceof Uint8Array) return new Secret(value);
  if (typeof value === 'string') return text(value, option);
  throw new OptionError(option, shown(value), 'Give the path of a keytab, its bytes, or kerberosKeys({ … }).');
};

/** The keytab that MIT krb5 uses where nothing names another. */
const DEFAULT_KEYTAB = 'FILE:/etc/krb5.keytab';

/** The name of the machine's keytab. krb5.conf is never read. */
export function defaultKeytabName(): { readonly name: string; readonly namedBy: string } {
  const named = process.env['KRB5_KTNAME'];
  return named ? { name: named, namedBy: 'KRB5_KTNAME' } : { name: DEFAULT_KEYTAB, namedBy: 'the default keytab' };
}

/** What a source of keys is made with. */
export interface KeySourceOptions {
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
  /** Path of the option, for errors. */
  readonly option: string;
}

/**
 * The keys that option `keytab` means, for a credential.
 *
 * @param value option `keytab`; undefined for the machine's own
 */
export function keySource(value: KeytabValue | undefined, options: KeySourceOptions): KeySource {
  return (accepted) =>
    value === undefined || typeof value === 'string'
      ? fileKeys(value ?? defaultKeytabName().name, accepted, options)
      : givenKeys(value, accepted, options.option);
}

function fileKeys(name: string, accepted: AcceptedServices, options: KeySourceOptions): ServiceKeys {
  const path = keytabPath(name);
  if (path !== undefined) return new KeytabFileKeys({ ...accepted, ...options, path });
  throw new OptionError(options.option, `is ${name}, which is not a file`, 'Give the path of a keytab file.');
}

function givenKeys(value: Secret | KerberosKeys, accepted: AcceptedServices, option: string): ServiceKeys {
  const isPassword = value instanceof KerberosKeys;
  const opened = isPassword ? value.copy() : keysOfBytes(value, option);
  requireUsableKeys(opened, { ...accepted, option, subject: '' });
  const keys = new GivenKeys(
    opened,
    accepted,
    isPassword ? `made from the password of ${value.account}` : 'given as bytes',
  );
  for (const { value: bytes } of opened) bytes.fill(0);
  return keys;
}

function keysOfBytes(secret: Secret, option: string): readonly KeytabKey[] {
  try {
    return decodeKeytabKeys(secret.copy());
  } catch (error) {
    if (!(error instanceof MalformedTokenError)) throw error;
    throw new OptionError(option, `is bytes that are no keytab (${error.message})`, 'Give the bytes of a keytab file.');
  }
}
