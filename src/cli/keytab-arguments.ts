/** The arguments of `sspi-auth keytab create`, read and checked. */
import { hasControlCharacter } from '../foundation/text.ts';
import { UsageError } from './usage-error.ts';

/** What to write. */
export interface KeytabCreateOptions {
  readonly file: string;
  readonly realm: string;
  readonly account: string;
  readonly services: readonly string[];
  /** 0 for any. */
  readonly keyVersion: number;
  /** Undefined: made of realm and account. */
  readonly salt: string | undefined;
  readonly encryptionTypes: readonly number[];
  readonly force: boolean;
}

/** What the command line has. */
export interface KeytabCreateWords {
  readonly realm?: string | undefined;
  readonly account?: string | undefined;
  readonly service?: readonly string[] | undefined;
  readonly kvno?: string | undefined;
  readonly salt?: string | undefined;
  readonly types?: string | undefined;
  readonly force?: boolean | undefined;
}

/** Encryption types by the names that krb5.conf(5) and this command have for them. */
const typesByName: ReadonlyMap<string, number> = new Map([
  ['aes256-sha1', 18],
  ['aes256-cts', 18],
  ['aes256-cts-hmac-sha1-96', 18],
  ['aes128-sha1', 17],
  ['aes128-cts', 17],
  ['aes128-cts-hmac-sha1-96', 17],
  ['aes256-sha2', 20],
  ['aes256-cts-hmac-sha384-192', 20],
  ['aes128-sha2', 19],
  ['aes128-cts-hmac-sha256-128', 19],
  ['rc4', 23],
  ['arcfour-hmac', 23],
  ['rc4-hmac', 23],
]);

/** What Active Directory and MIT krb5 have where nobody has chosen. */
const defaultTypes = 'aes256-sha1,aes128-sha1';

/** @throws UsageError if something is missing or wrong */
export function keytabCreateOptions(file: string, words: KeytabCreateWords): KeytabCreateOptions {
  const { service: services = [], kvno, salt, types = defaultTypes, force = false } = words;
  const realm = named('realm', words.realm, 'EXAMPLE.COM');
  if (/[/@\\\s]/.test(realm)) throw new UsageError(`--realm is ${JSON.stringify(realm)}; write it as EXAMPLE.COM`);
  if (services.length === 0) throw new UsageError('--service is missing; write such as --service HTTP/web.example.com');
  for (const service of services) {
    if (!/^[^/@\s]+\/[^@\s]+$/.test(service)) {
      throw new UsageError(`--service is ${JSON.stringify(service)}; write class/host, such as HTTP/web.example.com`);
    }
  }
  if (salt !== undefined) named('salt', salt, 'EXAMPLE.COMsvc-web');
  return {
    file,
    realm,
    account: named('account', words.account, 'svc-web'),
    services,
    keyVersion: keyVersionOf(kvno),
    salt,
    encryptionTypes: types.split(',').map(typeOf),
    force,
  };
}

function named(option: string, value: string | undefined, example: string): string {
  if (value === undefined) throw new UsageError(`--${option} is missing; write such as --${option} ${example}`);
  if (value === '' || hasControlCharacter(value)) {
    throw new UsageError(`--${option} is empty or has a control character; write such as --${option} ${example}`);
  }
  return value;
}

function keyVersionOf(kvno: string | undefined): number {
  if (kvno === undefined || kvno === 'any') return 0;
  if (/^\d{1,10}$/.test(kvno) && Number(kvno) >= 1 && Number(kvno) <= 0xffffffff) return Number(kvno);
  throw new UsageError(`--kvno is ${JSON.stringify(kvno)}; give a number from 1 to 4294967295, or any`);
}

function typeOf(name: string): number {
  const type = typesByName.get(name.trim().toLowerCase());
  if (type !== undefined) return type;
  const known = 'aes256-sha1, aes128-sha1, aes256-sha2, aes128-sha2, rc4';
  throw new UsageError(`--types has ${JSON.stringify(name)}; give some of ${known}, separated by commas`);
}
