/** Options: what the operator may say, checked, defaulted and frozen once at start. */
import { hostname } from 'node:os';
import type { AccountSource } from '../accounts/account-source.ts';
import type { Logger } from './audit.ts';
import { OptionError } from '../foundation/errors.ts';
import type { Identity } from '../identity/identity.ts';
import {
  bits,
  callable,
  flag,
  isWhole,
  namesOf,
  oneOf,
  record,
  shown,
  text,
  texts,
} from '../foundation/option-values.ts';
import { systemClock, systemRandom } from '../foundation/clock.ts';
import type { Clock, RandomSource } from '../foundation/clock.ts';
import { ASC_RET_NULL_SESSION } from '../sspi/requirements.ts';

/** HTTP authentication schemes this library can speak, by their names in WWW-Authenticate. */
export type SchemeName = 'Negotiate' | 'Kerberos' | 'NTLM' | 'Digest';

/** Who supplies the security packages. `auto`: Windows' own on Windows, the portable ones elsewhere. */
export type ProviderName = 'auto' | 'secur32' | 'gssapi' | 'portable';

/** Security packages that Negotiate may choose. */
export type PackageName = 'Kerberos' | 'NTLM';

/** Limits on what a client can make the server hold. */
export interface Limits {
  /** From the first token to the last, in milliseconds. Default 30 000. */
  readonly handshakeMilliseconds?: number;
  /** Handshakes that may wait for their client at once; one more drops the oldest. Default 10 000. */
  readonly pendingHandshakes?: number;
  /** Largest token, decoded, in bytes. Default 49 152; Node's own maxHeaderSize (16 KiB) may be lower. */
  readonly tokenBytes?: number;
  /** Largest request body that is read and thrown away for a response of our own, in bytes. Default 1 048 576. */
  readonly discardedBodyBytes?: number;
  /**
   * The same for the legs of a handshake, whose connection cannot be closed: what a client of NTLM may upload when it is not
   * signed in yet. In bytes; default 33 554 432.
   */
  readonly handshakeBodyBytes?: number;
}

/** Options that concern Digest alone. */
export interface DigestOptions {
  /**
   * Key of the nonces, 32 bytes or characters or more, for processes that serve the same clients (node:cluster) and for
   * restarts: a nonce of another process is then too old instead of forged, and the browser does not ask its user again.
   * Default: random for each start.
   */
  readonly secret?: Uint8Array | string;
  /** Offered in this order. Default `['SHA-256', 'MD5']`; `['MD5']` for clients that do not look at a second challenge. */
  readonly algorithms?: readonly ('SHA-256' | 'MD5')[];
  /** How long a nonce may be used, in milliseconds. Default 300 000; at most 86 400 000. */
  readonly nonceLifetimeMilliseconds?: number;
}

/** Options of every adapter. `R` is the framework's request. */
export interface SspiAuthOptions<R = unknown> {
  /** Schemes offered, in this order. Default: all that can be verified, strongest first. */
  readonly schemes?: readonly SchemeName[];
  readonly provider?: ProviderName;
  /** Native library of the provider, such as `libgssapi_krb5.so.2` or Heimdal's `libgssapi.so.3`; for `secur32` elsewhere than on Windows `libwinpr2.so.2`. */
  readonly library?: string;
  /** Security packages that may verify within Negotiate, such as `['Kerberos']`. Default: all that the provider has. */
  readonly packages?: readonly PackageName[];
  /** ASC_RET_* bits (sspi-auth/sspi) that a finished context must have, such as ASC_RET_INTEGRITY. Default 0. */
  readonly requiredAttributes?: number;
  /** Path of the keytab with the server's keys. */
  readonly keytab?: string;
  /**
   * Where accepted Kerberos authenticators are remembered, so that none is accepted twice: true (default) is the cache that
   * the Kerberos services of this user share, a name such as `file2:/run/app/replay` is one of your own, false is none.
   */
  readonly replayCache?: boolean | string;
  /** Refuse Kerberos tickets without a PAC, which says whose SIDs and groups they are. Default false. */
  readonly requirePac?: boolean;
  /** Keep tickets that clients forward, as `request.sspi.delegatedCredentials`. Default false. */
  readonly delegate?: boolean;
  /** Take Kerberos tickets of RC4 (arcfour-hmac), which can be broken offline. Default false. */
  readonly allowRc4?: boolean;
  /** Verify Kerberos off the event loop: slower, but a slow file system does not hold up other requests. Default false. */
  readonly asynchronous?: boolean;
  /** Service principal names that tickets may be for, such as `HTTP/intranet.example.com`. */
  readonly servicePrincipalNames?: readonly string[];
  /** Who verifies NTLM and Digest: memoryAccounts(...), smbpasswdFile(path). */
  readonly accounts?: AccountSource;
  /** NetBIOS domain of accounts that name none, and of the NTLM challenge. Default: this computer's name. */
  readonly domain?: string;
  /** Realm of Digest. Default: the domain. */
  readonly realm?: string;
  readonly digest?: DigestOptions;
  /** Channel bindings of TLS connections. Default `whenSupported`: a client that sends them must send the right ones. */
  readonly channelBinding?: 'never' | 'whenSupported' | 'always';
  /** `connection` (default): an NTLM, Kerberos or Negotiate sign-in lasts as long as its connection. `request`: never. */
  readonly persistence?: 'connection' | 'request';
  /** Lets a request without credentials through, with no user. Wrong credentials are refused all the same. */
  readonly anonymous?: boolean;
  /** Requests this library should not look at at all. */
  readonly skip?: (request: R) => boolean;
  /** Whether an authenticated user may go on; false gives 403. Asked for every request. */
  readonly authorize?: (user: Identity, request: R) => boolean | Promise<boolean>;
  /** pino, or anything of its shape; `false` for none. */
  readonly logger?: Logger | false;
  readonly limits?: Limits;
  /** For tests: where the time comes from. */
  readonly clock?: Clock;
  /** For tests: where nonces and challenges come from. */
  readonly random?: RandomSource;
}

/** Options that concern Kerberos alone. */
export type KerberosOptions = Pick<
  SspiAuthOptions,
  'replayCache' | 'requirePac' | 'delegate' | 'allowRc4' | 'asynchronous'
>;

/** DigestOptions after checking; what was not given is the package's to choose. */
export interface DigestSettings extends Omit<DigestOptions, 'secret'> {
  readonly secret?: Uint8Array;
}

/** Options after checking: nothing is missing but what has no default. */
export interface Settings<R = unknown> {
  readonly schemes: readonly SchemeName[] | undefined;
  readonly provider: ProviderName;
  readonly library: string | undefined;
  readonly packages: readonly PackageName[] | undefined;
  readonly requiredAttributes: number;
  readonly keytab: string | undefined;
  /** What of the options concerns Kerberos alone, as far as it was given. */
  readonly kerberos: KerberosOptions;
  readonly servicePrincipalNames: readonly string[] | undefined;
  readonly accounts: AccountSource | undefined;
  readonly domain: string;
  readonly computerName: string;
  readonly realm: string;
  readonly digest: DigestSettings;
  readonly channelBinding: 'never' | 'whenSupported' | 'always';
  readonly persistence: 'connection' | 'request';
  readonly anonymous: boolean;
  readonly skip: ((request: R) => boolean) | undefined;
  readonly authorize: ((user: Identity, request: R) => boolean | Promise<boolean>) | undefined;
  readonly logger: Logger | undefined;
  readonly limits: Required<Limits>;
  readonly clock: Clock;
  readonly random: RandomSource;
}

const digestNames: readonly (keyof DigestOptions)[] = ['secret', 'algorithms', 'nonceLifetimeMilliseconds'];
const schemeNames: readonly SchemeName[] = ['Negotiate', 'Kerberos', 'NTLM', 'Digest'];

const defaultLimits: Required<Limits> = {
  handshakeMilliseconds: 30_000,
  pendingHandshakes: 10_000,
  tokenBytes: 48 * 1024,
  discardedBodyBytes: 1024 * 1024,
  handshakeBodyBytes: 32 * 1024 * 1024,
};

/** Every option by name, so that a misspelt one is noticed. */
const optionNames: Readonly<Record<keyof SspiAuthOptions, true>> = {
  schemes: true,
  provider: true,
  library: true,
  packages: true,
  requiredAttributes: true,
  keytab: true,
  replayCache: true,
  requirePac: true,
  delegate: true,
  allowRc4: true,
  asynchronous: true,
  servicePrincipalNames: true,
  accounts: true,
  domain: true,
  realm: true,
  digest: true,
  channelBinding: true,
  persistence: true,
  anonymous: true,
  skip: true,
  authorize: true,
  logger: true,
  limits: true,
  clock: true,
  random: true,
};

/**
 * Checks options and fills in defaults.
 *
 * @throws OptionError naming the option, what it was and what to write instead
 */
export function parseOptions<R>(options: SspiAuthOptions<R> = {}): Settings<R> {
  if (typeof options === 'object' && options !== null && 'httpVersion' in options) {
    throw new OptionError('options', 'is a request', 'Call it to get what handles requests: app.use(sspiAuth({ … })).');
  }
  record('options', options, Object.keys(optionNames));
  const computerName = netBiosName(hostname()) || 'LOCALHOST';
  const domain = text('domain', options.domain) ?? computerName;
  netBiosDomain(domain);
  const realm = realmOf(options.realm) ?? domain;
  return Object.freeze({
    schemes: namesOf('schemes', options.schemes, schemeNames),
    provider: oneOf('provider', options.provider, ['auto', 'secur32', 'gssapi', 'portable']) ?? 'auto',
    library: text('library', options.library),
    packages: namesOf('packages', options.packages, ['Kerberos', 'NTLM']),
    requiredAttributes: requiredAttributes(options.requiredAttributes),
    keytab: text('keytab', options.keytab),
    kerberos: kerberosOptions(options),
    servicePrincipalNames: texts('servicePrincipalNames', options.servicePrincipalNames),
    accounts: accounts(options.accounts),
    domain,
    computerName,
    realm,
    digest: digestOptions(options.digest),
    channelBinding:
      oneOf('channelBinding', options.channelBinding, ['never', 'whenSupported', 'always']) ?? 'whenSupported',
    persistence: oneOf('persistence', options.persistence, ['connection', 'request']) ?? 'connection',
    anonymous: flag('anonymous', options.anonymous),
    skip: callable('skip', options.skip),
    authorize: callable('authorize', options.authorize),
    logger: logger(options.logger),
    limits: limits(options.limits),
    clock: clock(options.clock),
    random: random(options.random),
  });
}

function requiredAttributes(value: unknown): number {
  const attributes = bits('requiredAttributes', value);
  if ((attributes & ASC_RET_NULL_SESSION) !== 0) {
    throw new OptionError(
      'requiredAttributes',
      'has ASC_RET_NULL_SESSION, and a session of nobody is never let in',
      'Leave that bit out.',
    );
  }
  return attributes;
}

const longestNonceLifetime = 86_400_000;

function digestOptions(value: DigestOptions | undefined): DigestSettings {
  if (value === undefined) return {};
  record('digest', value, digestNames);
  const algorithms = namesOf('digest.algorithms', value.algorithms, ['SHA-256', 'MD5']);
  const { nonceLifetimeMilliseconds: lifetime } = value;
  if (lifetime !== undefined && !isWhole(lifetime, 1, longestNonceLifetime)) {
    const cure = `Give a whole number between 1 and ${longestNonceLifetime}.`;
    throw new OptionError('digest.nonceLifetimeMilliseconds', shown(lifetime), cure);
  }
  return Object.freeze({
    ...(value.secret === undefined ? undefined : { secret: secretBytes(value.secret) }),
    ...(algorithms === undefined ? undefined : { algorithms }),
    ...(lifetime === undefined ? undefined : { nonceLifetimeMilliseconds: lifetime }),
  });
}

/** Never shown: not its value, not its length. */
function secretBytes(secret: unknown): Uint8Array {
  const bytes = typeof secret === 'string' ? Buffer.from(secret, 'utf8') : secret;
  if (!(bytes instanceof Uint8Array) || bytes.byteLength < 32) {
    throw new OptionError(
      'digest.secret',
      'is too short or no bytes',
      'Give 32 random bytes, or a text as long as that.',
    );
  }
  return Uint8Array.from(bytes);
}

function kerberosOptions(options: KerberosOptions): KerberosOptions {
  const { replayCache } = options;
  const given: { -readonly [K in keyof KerberosOptions]: KerberosOptions[K] } = {};
  for (const name of ['requirePac', 'delegate', 'allowRc4', 'asynchronous'] as const) {
    if (options[name] !== undefined) given[name] = flag(name, options[name]);
  }
  if (replayCache !== undefined) {
    given.replayCache = typeof replayCache === 'boolean' ? replayCache : (text('replayCache', replayCache) ?? true);
  }
  return Object.freeze(given);
}

function accounts(value: AccountSource | undefined): AccountSource | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || !verifies(value)) {
    throw new OptionError(
      'accounts',
      shown(value),
      "Give an account source: memoryAccounts([{ userName: 'alice', password }]) or smbpasswdFile(path).",
    );
  }
  return value;
}

/** Has a function for one scheme at least, and nothing else in the place of one. */
function verifies(source: AccountSource): boolean {
  const given = (['verifyNtlm', 'verifyDigest'] as const).filter((name) => source[name] !== undefined);
  return given.length > 0 && given.every((name) => typeof source[name] === 'function');
}

function clock(value: Clock | undefined): Clock {
  if (value === undefined) return systemClock;
  if (typeof value?.now !== 'function' || typeof value.elapsed !== 'function') {
    throw new OptionError('clock', shown(value), 'Give { now(), elapsed() } in milliseconds, or leave it out.');
  }
  return value;
}

function random(value: RandomSource | undefined): RandomSource {
  if (value === undefined) return systemRandom;
  if (typeof value !== 'function') {
    throw new OptionError('random', shown(value), 'Give a function of as many random bytes as it is asked for.');
  }
  return value;
}

function logger(value: Logger | false | undefined): Logger | undefined {
  if (value === undefined || value === false) return undefined;
  for (const method of ['info', 'warn', 'error'] as const) {
    if (typeof (value as Partial<Logger> | null)?.[method] !== 'function') {
      const problem = typeof value === 'object' && value !== null ? `has no method ${method}` : shown(value);
      throw new OptionError('logger', problem, 'Give a pino logger, an object of its shape such as console, or false.');
    }
  }
  return value;
}

function limits(value: Limits | undefined): Required<Limits> {
  if (value === undefined) return defaultLimits;
  record('limits', value, Object.keys(defaultLimits));
  const parsed = { ...defaultLimits, ...value };
  for (const [name, number] of Object.entries(parsed)) {
    const least = name.endsWith('BodyBytes') ? 0 : 1;
    if (!isWhole(number, least, 0x7fffffff)) {
      throw new OptionError(`limits.${name}`, shown(number), `Give a whole number between ${least} and 2147483647.`);
    }
  }
  return Object.freeze(parsed);
}

/** As the Digest package takes it: at most 512 bytes of UTF-8. */
function realmOf(value: unknown): string | undefined {
  const realm = text('realm', value);
  if (realm !== undefined && (Buffer.byteLength(realm) > 512 || /\p{Surrogate}/u.test(realm))) {
    throw new OptionError('realm', shown(realm), 'Give a text of at most 512 bytes of UTF-8.');
  }
  return realm;
}

/** A host name as NetBIOS has it: the first label, upper case, at most 15 characters (MS-NBTE 2.2.1). */
function netBiosName(host: string): string {
  const label = host.split('.', 1)[0] ?? '';
  return label
    .replace(/[^A-Za-z0-9-]/g, '')
    .slice(0, 15)
    .toUpperCase();
}

function netBiosDomain(domain: string): void {
  if (domain.length > 15 || /[\\/:*?"<>|@.]/.test(domain)) {
    throw new OptionError(
      'domain',
      shown(domain),
      'Give the NetBIOS name of the domain, such as "CORP": at most 15 characters, none of . \\ / : * ? " < > | @.',
    );
  }
}
