/** What the Kerberos credential is acquired with: the options, checked and defaulted. */
import { OptionError } from '../../foundation/errors.ts';
import { describeKeytabEntries } from '../../formats/kerberos/keytab.ts';
import type { KeytabEntry } from '../../formats/kerberos/keytab.ts';
import { systemClock } from '../../foundation/clock.ts';
import type { Clock } from '../../foundation/clock.ts';
import { isHttpService, keytabPath, readKeytab } from './keytab/keytab-file.ts';
import type { KerberosSettings } from './call/kerberos-settings.ts';

/** authData of acquireCredentialsHandle for the package Kerberos. Everything may be left out. */
export interface KerberosAuthData {
  /** Path of the keytab. Left out: KRB5_KTNAME, else the default keytab of krb5.conf. */
  readonly keytab?: string | undefined;
  /**
   * Services whose tickets are taken, such as `HTTP/web.example.com` or `HTTP/web.example.com@EXAMPLE.COM`; case does not
   * count. Left out: every `HTTP/…` service the keytab has a key for.
   */
  readonly servicePrincipalNames?: readonly string[] | undefined;
  /**
   * Where accepted authenticators are remembered, so that none is accepted twice. True: the cache that all Kerberos
   * services of this user share (`dfl:`); with Heimdal, which has none, this process, which takes none that is older than
   * itself. A name of MIT's libkrb5, such as `file2:/run/app/replay`. False: no replay cache.
   */
  readonly replayCache?: boolean | string | undefined;
  /** Verify on a thread of libuv's pool: slower, but the event loop goes on meanwhile. Default false. */
  readonly asynchronous?: boolean | undefined;
  /** Refuse a ticket without a PAC that says who the account is and which groups it has. Default false. */
  readonly requirePac?: boolean | undefined;
  /** Take tickets and keys of RC4 (arcfour-hmac), which can be broken offline. Default false. */
  readonly allowRc4?: boolean | undefined;
  /** Keep forwarded tickets for the application, where the call requires it (ASC_REQ_DELEGATE). Default false. */
  readonly delegate?: boolean | undefined;
  /** Name or path of libgssapi_krb5, or of Heimdal's libgssapi. Left out: that of the system, MIT's first. */
  readonly library?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** AES of RFC 3962 and RFC 8009, and Camellia of RFC 6803; the strongest first. DES is never taken (attack D06). */
const STRONG_ENCRYPTION_TYPES = [20, 19, 18, 17, 26, 25];
const RC4 = 23;

const booleans = ['asynchronous', 'requirePac', 'allowRc4', 'delegate'] as const;

/**
 * Checks the parameters of a Kerberos credential.
 *
 * @param principal pszPrincipal of acquireCredentialsHandle: one more way to name the only service
 * @param defaultKeytab name of the keytab that counts where none is given; called only then
 * @throws OptionError for every value that cannot be used, a keytab that cannot be read or has no key to use
 */
export function kerberosSettings(
  authData: unknown,
  principal: string | undefined,
  defaultKeytab: () => string,
): KerberosSettings {
  const data = record(authData);
  for (const name of booleans) {
    const value = data[name];
    if (value !== undefined && typeof value !== 'boolean') {
      throw new OptionError(name, `is ${JSON.stringify(value)}`, 'Use true or false.');
    }
  }
  const names = serviceNames(data.servicePrincipalNames, principal);
  const services = names === undefined ? 'HTTP/*' : names.map((name) => name.text).join(', ');
  const acceptsService = (service: string, realm: string): boolean =>
    names === undefined
      ? isHttpService(service)
      : names.some((name) => name.matches(service.toLowerCase(), realm.toLowerCase()));
  const encryptionTypes = new Set(data.allowRc4 === true ? [...STRONG_ENCRYPTION_TYPES, RC4] : STRONG_ENCRYPTION_TYPES);
  const keytab = usableKeytab(data.keytab, defaultKeytab, acceptsService, services, encryptionTypes);
  return Object.freeze({
    keytab,
    acceptsService,
    services,
    replayCache: replayCacheName(data.replayCache),
    replayCacheOption: data.replayCache,
    asynchronous: data.asynchronous ?? false,
    requirePac: data.requirePac ?? false,
    encryptionTypes,
    delegate: data.delegate ?? false,
    clock: data.clock ?? systemClock,
  });
}

function record(authData: unknown): KerberosAuthData {
  if (authData === undefined) return {};
  if (typeof authData !== 'object' || authData === null) {
    throw new OptionError('authData', 'is no object', 'Give an object of the type KerberosAuthData, or leave it out.');
  }
  return authData;
}

interface ServiceName {
  readonly text: string;
  matches(service: string, realm: string): boolean;
}

function serviceNames(option: unknown, principal: string | undefined): readonly ServiceName[] | undefined {
  if (option === undefined) return principal === undefined ? undefined : [serviceName(principal, 'principal')];
  if (!Array.isArray(option) || option.length === 0) {
    throw new OptionError(
      'servicePrincipalNames',
      'is no list of names',
      "Write for example ['HTTP/web.example.com'].",
    );
  }
  const names = option.map((name: unknown, index) => serviceName(name, `servicePrincipalNames[${index}]`));
  return principal === undefined ? names : [...names, serviceName(principal, 'principal')];
}

function serviceName(value: unknown, option: string): ServiceName {
  const match = typeof value === 'string' ? /^([^/@\s]+\/[^@\s]+?)(?:@([^@\s]+))?$/.exec(value) : null;
  const [text, name, realm] = match ?? [];
  if (text === undefined || name === undefined) {
    throw new OptionError(option, `is ${JSON.stringify(value)}`, 'Write class/host, such as HTTP/web.example.com.');
  }
  const wanted = name.toLowerCase();
  const wantedRealm = realm?.toLowerCase();
  return {
    text,
    matches: (service, ofRealm) => service === wanted && (wantedRealm === undefined || ofRealm === wantedRealm),
  };
}

function replayCacheName(option: unknown): string {
  if (option === undefined || option === true) return 'dfl:';
  if (option === false) return 'none:';
  if (typeof option === 'string' && /^(?:dfl:$|none:$|file2:.)/.test(option)) return option;
  throw new OptionError(
    'replayCache',
    `is ${JSON.stringify(option)}`,
    'Use true, false, or a name such as "file2:/run/app/replay".',
  );
}

function usableKeytab(
  option: unknown,
  defaultKeytab: () => string,
  accepts: (name: string, realm: string) => boolean,
  services: string,
  encryptionTypes: ReadonlySet<number>,
): string {
  if (option !== undefined && (typeof option !== 'string' || option === '')) {
    throw new OptionError('keytab', `is ${JSON.stringify(option)}`, 'Give the path of a keytab file.');
  }
  const name = option ?? defaultKeytab();
  const path = keytabPath(name);
  if (path === undefined) {
    throw new OptionError('keytab', `is ${name}, which is no file`, 'Give the path of a keytab file.');
  }
  const entries = listed(path);
  const usable = entries.filter((entry) => accepts(entry.name, entry.realm));
  if (usable.length === 0) {
    throw new OptionError(
      'keytab',
      `is ${path}, which has no key for ${services} (it has ${describeKeytabEntries(entries)})`,
      'Export the key of the service, for example with: ktadd -k FILE HTTP/web.example.com (MIT), ' +
        'samba-tool domain exportkeytab FILE --principal=HTTP/web.example.com, or ktpass on Windows.',
    );
  }
  if (!usable.some((entry) => encryptionTypes.has(entry.encryptionType))) {
    throw new OptionError(
      'keytab',
      `is ${path}, which has only keys that are refused (${describeKeytabEntries(usable)})`,
      'Give the service account AES keys and export the keytab again; "allowRc4" takes RC4 until then.',
    );
  }
  return path;
}

function listed(path: string): readonly KeytabEntry[] {
  try {
    return readKeytab(path).entries;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OptionError(
      'keytab',
      `is ${path}, which cannot be used (${reason})`,
      'The process needs to read it: check the path, its owner and its mode, and that it is a keytab of MIT krb5.',
    );
  }
}
