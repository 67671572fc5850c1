/** Keys from the password of a service account: no keytab is needed where the account's policy allows it. */
import { PASSWORD_ENCRYPTION_TYPES, stringToKey } from '../../../crypto/kerberos/string-to-key.ts';
import type { KeytabEntry, KeytabKey } from '../../../formats/kerberos/keytab.ts';
import { escapeComponent, splitPrincipal } from '../../../formats/kerberos/principal.ts';
import { principalSalt } from '../../../formats/kerberos/principal-salt.ts';
import { servicePrincipalName } from '../../../formats/kerberos/service-principal-name.ts';
import { OptionError } from '../../../foundation/errors.ts';
import { optional, readOptions, required } from '../../../foundation/option-table.ts';
import type { OptionsOf } from '../../../foundation/option-table.ts';
import { listOf, shown, text } from '../../../foundation/option-values.ts';
import type { Reader } from '../../../foundation/option-values.ts';
import { Secret } from '../../../foundation/secret.ts';

/** The error does not show the value. */
const password: Reader<string> = (value, option) => {
  if (typeof value === 'string' && value !== '') return value;
  throw new OptionError(option, 'is empty or no string', "Give the account's password.");
};

const realm: Reader<string> = (value, option) => {
  const read = text(value, option);
  if (/[/@\\\s]/.test(read)) throw new OptionError(option, shown(value), "Write it as the KDC does: 'EXAMPLE.COM'.");
  return read;
};

export const kerberosKeysOptions = {
  /** The account's realm, as the KDC writes it: `EXAMPLE.COM`. With Active Directory the DNS name in upper case. */
  realm: required(realm, "Write the account's realm, such as 'EXAMPLE.COM'."),
  /** The services of the account, such as `HTTP/web.example.com`. */
  servicePrincipalNames: required(
    listOf(servicePrincipalName, 'names'),
    "Write the services of the account: ['HTTP/web.example.com'].",
  ),
  /**
   * The account's name, of which the salt is made: with Active Directory its userPrincipalName if it has one, else its
   * sAMAccountName (`WEB$` for a computer); with MIT krb5 and Heimdal the principal.
   */
  account: required(text, "Write the account's name, such as 'svc-web'."),
  /** The account's password. */
  password: required(password, "Give the account's password."),
  /** The salt, if the KDC uses another one than the account's name gives. */
  salt: optional(text, { otherwise: 'made of realm and account' }),
};

export type { KeytabEntry, KeytabKey };

/** Options of kerberosKeys. */
export type KerberosKeysOptions = OptionsOf<typeof kerberosKeysOptions>;

/** The keys of a service account. Nothing prints them. */
export class KerberosKeys {
  readonly #entries: readonly (Omit<KeytabKey, 'value'> & { readonly value: Secret })[];

  /** The account, for messages. */
  readonly account: string;

  /** @param entries the keys are copied */
  constructor(account: string, entries: readonly KeytabKey[]) {
    this.account = account;
    this.#entries = entries.map((entry) => ({ ...entry, value: new Secret(entry.value) }));
    Object.freeze(this);
  }

  /** What may be told of the keys. */
  entries(): readonly KeytabEntry[] {
    return this.#entries.map(({ name, realm, keyVersion, encryptionType }) => ({
      name,
      realm,
      keyVersion,
      encryptionType,
    }));
  }

  /** Copies of the keys, which the caller wipes. */
  copy(): readonly KeytabKey[] {
    return this.#entries.map((entry) => ({ ...entry, value: entry.value.copy() }));
  }
}

/**
 * Makes the keys of a service account from its password, for option `keytab`. The kvno is not known, so a ticket under
 * any kvno is tried.
 *
 * A human's password can be guessed from one ticket, offline. Give the account a long random one.
 *
 * It takes about 0.1 s: RFC 8009 wants 32768 rounds.
 *
 * @throws OptionError `ERR_SSPI_AUTH_OPTION`
 */
export function kerberosKeys(options: KerberosKeysOptions): KerberosKeys {
  const read = readOptions(kerberosKeysOptions, options, 'options');
  const salt = read.salt ?? principalSalt(read.account, read.realm);
  const entries: KeytabKey[] = [];
  const keys = PASSWORD_ENCRYPTION_TYPES.map((encryptionType) => ({
    encryptionType,
    value: stringToKey(encryptionType, read.password, salt),
  }));
  for (const service of read.servicePrincipalNames) {
    const { components, realm: named } = splitPrincipal(service);
    if (named !== undefined && named !== read.realm) {
      throw new OptionError('servicePrincipalNames', `has ${service}`, `Name services of the realm ${read.realm}.`);
    }
    const name = components.map(escapeComponent).join('/');
    for (const key of keys) entries.push({ ...key, name, realm: read.realm, keyVersion: 0, timestamp: 0 });
  }
  const made = new KerberosKeys(read.account, entries);
  for (const { value } of keys) value.fill(0);
  return made;
}
