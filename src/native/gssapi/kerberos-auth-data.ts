/** The options of acquireCredentialsHandle for Kerberos (authData), and the settings that are made from them. */
import type { KeytabEntry } from '../../formats/kerberos/keytab.ts';
import { keytabPath } from '../../formats/kerberos/keytab-name.ts';
import { servicePrincipalName } from '../../formats/kerberos/service-principal-name.ts';
import { requireUsableKeys } from '../../formats/kerberos/usable-keys.ts';
import { systemClock } from '../../foundation/clock.ts';
import { OptionError } from '../../foundation/errors.ts';
import { defaulted, optional, readOptions } from '../../foundation/option-table.ts';
import type { AuthDataOf, SettingsOf } from '../../foundation/option-table.ts';
import { callable, clock, flag, listOf, shown, text } from '../../foundation/option-values.ts';
import type { Reader } from '../../foundation/option-values.ts';
import { processWarning } from '../../foundation/process-warning.ts';
import { serviceNames } from '../../kerberos/accepted-services.ts';
import type { KerberosSettings } from './call/kerberos-settings.ts';
import { readKeytab } from './keytab/keytab-file.ts';

const replayCache: Reader<boolean | string> = (value, option) => {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string' && /^(?:dfl:$|none:$|file2:.)/.test(text(value, option))) return value;
  throw new OptionError(option, shown(value), 'Use true, false, or a name such as "file2:/run/app/replay".');
};

export const kerberosOptions = {
  /** Path of the keytab. */
  keytab: optional(text, { otherwise: 'KRB5_KTNAME, else the default keytab of krb5.conf' }),
  /**
   * Services whose tickets are accepted, such as `HTTP/web.example.com` or `HTTP/web.example.com@EXAMPLE.COM`. Case is
   * ignored.
   */
  servicePrincipalNames: optional(listOf(servicePrincipalName, 'names'), {
    otherwise: 'every `HTTP/…` service that the keytab has a key for',
  }),
  /**
   * The replay cache. It remembers accepted authenticators, so that none is accepted twice. True: with MIT krb5, the
   * cache of KRB5RCACHENAME or of default_rcache_name in krb5.conf, else the one that all Kerberos services of this user
   * share (`dfl:`); with Heimdal, a cache in the memory of this process, which refuses authenticators older than the
   * process. A string: the name of a replay cache of MIT krb5, such as `file2:/run/app/replay`. False: no replay cache.
   */
  replayCache: defaulted(replayCache, true),
  /** Verify on a thread of libuv's pool. That is slower, but does not block the event loop. */
  asynchronous: defaulted(flag, false),
  /** Refuse tickets without a PAC. The PAC has the SIDs of the account and of its groups. */
  requirePac: defaulted(flag, false),
  /**
   * Take nothing from the PAC: the account is the principal, without SID and groups. A PAC whose signature does not
   * verify is still refused.
   */
  ignorePac: defaulted(flag, false),
  /** Accept tickets and keys of RC4 (arcfour-hmac), which can be broken offline. */
  allowRc4: defaulted(flag, false),
  /** Keep forwarded tickets for the application, if the call requires it (ASC_REQ_DELEGATE). */
  delegate: defaulted(flag, false),
  /** Name or path of libgssapi_krb5, or of Heimdal's libgssapi. */
  library: optional(text, { otherwise: "the system's; MIT krb5 comes before Heimdal" }),
  /** Called with a message if something is wrong, although clients can still be verified. */
  onWarning: defaulted(callable<(message: string) => void>(), processWarning, { otherwise: 'a process warning' }),
  /** Source of the current time. */
  clock: defaulted(clock, systemClock, { otherwise: "the machine's" }),
};

/** authData of acquireCredentialsHandle for the package Kerberos over GSSAPI. All members are optional. */
export type KerberosAuthData = AuthDataOf<typeof kerberosOptions>;

/** KerberosAuthData, with defaults. */
export type KerberosOptionValues = SettingsOf<typeof kerberosOptions>;

/**
 * Reads and verifies authData.
 *
 * @throws OptionError `ERR_SSPI_AUTH_OPTION` with the path of the option, such as `authData.keytab`
 */
export function readKerberosOptions(authData: unknown): KerberosOptionValues {
  return readOptions(kerberosOptions, authData === undefined ? {} : authData, 'authData');
}

/**
 * AES of RFC 3962 and RFC 8009, and Camellia of RFC 6803. The strongest is first. DES is never accepted (attack D06).
 */
const STRONG_ENCRYPTION_TYPES = [20, 19, 18, 17, 26, 25];
const RC4 = 23;

/**
 * Makes the settings of a Kerberos credential.
 *
 * @param options result of readKerberosOptions
 * @param principal pszPrincipal of acquireCredentialsHandle: a service to accept, besides option
 *   `servicePrincipalNames`
 * @param defaultKeytab returns the name of the default keytab. Called only if option `keytab` is not given
 * @throws OptionError `ERR_SSPI_AUTH_OPTION` if options contradict each other, if the principal is not a service principal name, or if the keytab cannot
 *   be read or has no usable key
 */
export function kerberosSettings(
  options: KerberosOptionValues,
  principal: string | undefined,
  defaultKeytab: () => string,
): KerberosSettings {
  const { replayCache: cache, allowRc4 } = options;
  if (options.requirePac && options.ignorePac) {
    throw new OptionError('authData.ignorePac', 'is true, and so is requirePac', 'Leave one of the two out.');
  }
  const named = [
    ...(options.servicePrincipalNames ?? []),
    ...(principal === undefined ? [] : [servicePrincipalName(principal, 'principal')]),
  ];
  const { acceptsService, services } = serviceNames(named);
  const encryptionTypes = new Set(allowRc4 ? [...STRONG_ENCRYPTION_TYPES, RC4] : STRONG_ENCRYPTION_TYPES);
  return Object.freeze({
    keytab: usableKeytab(options.keytab ?? defaultKeytab(), acceptsService, services, encryptionTypes),
    acceptsService,
    services,
    replayCache: typeof cache === 'string' ? cache : cache ? undefined : 'none:',
    replayCacheOption: cache,
    asynchronous: options.asynchronous,
    requirePac: options.requirePac,
    ignorePac: options.ignorePac,
    encryptionTypes,
    delegate: options.delegate,
    onWarning: options.onWarning,
    clock: options.clock,
  });
}

function usableKeytab(
  name: string,
  accepts: (name: string, realm: string) => boolean,
  services: string,
  encryptionTypes: ReadonlySet<number>,
): string {
  const path = keytabPath(name);
  if (path === undefined) {
    throw new OptionError('authData.keytab', `is ${name}, which is not a file`, 'Give the path of a keytab file.');
  }
  requireUsableKeys(keytabEntries(path), {
    option: 'authData.keytab',
    subject: `is ${path}, which `,
    acceptsService: accepts,
    services,
    encryptionTypes,
  });
  return path;
}

function keytabEntries(path: string): readonly KeytabEntry[] {
  try {
    return readKeytab(path).entries;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OptionError(
      'authData.keytab',
      `is ${path}, which cannot be used (${reason})`,
      'Check the path, the owner and the mode, and that the file is a keytab. This process must be able to read it.',
    );
  }
}
