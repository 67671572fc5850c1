/** Options of createAuthenticator and of every adapter: what the operator may say, checked, defaulted and frozen at start. */
import { hostname } from 'node:os';
import { accountSource } from '../accounts/account-source.ts';
import { servicePrincipalName } from '../formats/kerberos/service-principal-name.ts';
import { netBiosName, netBiosNameOf } from '../formats/netbios-name.ts';
import { systemClock, systemRandom } from '../foundation/clock.ts';
import { OptionError } from '../foundation/errors.ts';
import { defaulted, defaultsOf, givenNames, group, optional, readOptions } from '../foundation/option-table.ts';
import type { Concerns, OptionsOf, SettingsOf } from '../foundation/option-table.ts';
import {
  callable,
  clock,
  flag,
  listOf,
  oneOf,
  random,
  shown,
  someOf,
  text,
  wholeNumber,
} from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import type { Identity } from '../identity/identity.ts';
import { digestProtocolOptions, realm } from '../packages/digest/digest-auth-data.ts';
import { ASC_RET_NULL_SESSION } from '../sspi/requirements.ts';
import { logger } from './audit.ts';

const kerberosAlone: Concerns = { schemes: ['Negotiate', 'Kerberos'], providers: ['gssapi'] };
const digestAlone: Concerns = { schemes: ['Digest'] };
const handshakes: Concerns = { schemes: ['Negotiate', 'Kerberos', 'NTLM'] };

/** ASC_RET_* bits, unsigned 32 bits. */
const attributeBits: Reader<number> = (value, option) => {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0xffffffff) {
    throw new OptionError(option, shown(value), 'Give ASC_RET_* bits of sspi-auth/sspi, or leave it out.');
  }
  if (((value as number) & ASC_RET_NULL_SESSION) !== 0) {
    throw new OptionError(
      option,
      'has ASC_RET_NULL_SESSION, and an anonymous session is never let in',
      'Leave that bit out.',
    );
  }
  return value as number;
};

/** A name is looked at by libkrb5's own rules when the credential is acquired. */
const replayCache: Reader<boolean | string> = (value, option) =>
  typeof value === 'boolean' ? value : text(value, option);

const bodyBytes = wholeNumber(0, 0x7fffffff);
const atLeastOne = wholeNumber(1, 0x7fffffff);

export const limitOptions = {
  /** From a handshake's first token to its last, in milliseconds. */
  handshakeMilliseconds: defaulted(atLeastOne, 30_000, handshakes),
  /** Handshakes that may wait for their client at once; one more drops the oldest. */
  pendingHandshakes: defaulted(atLeastOne, 10_000, handshakes),
  /** Largest token, decoded, in bytes. Node's own maxHeaderSize (16 KiB) may be lower. */
  tokenBytes: defaulted(atLeastOne, 48 * 1024, handshakes),
  /** Largest request body that is read and thrown away for a response of our own, in bytes. */
  discardedBodyBytes: defaulted(bodyBytes, 1024 * 1024),
  /**
   * The same for the legs of a handshake, whose connection cannot be closed: what a client of NTLM may upload when it is not
   * signed in yet. In bytes.
   */
  handshakeBodyBytes: defaulted(bodyBytes, 32 * 1024 * 1024, handshakes),
};

/** The table. `R` is the framework's request. */
function optionTable<R>() {
  return {
    /** Schemes offered, in this order. */
    schemes: optional(someOf('Negotiate', 'Kerberos', 'NTLM', 'Digest'), {
      otherwise: 'all that can be verified, strongest first',
    }),
    /** Who supplies the security packages. `auto`: Windows' own on Windows, GSSAPI and the portable ones elsewhere. */
    provider: defaulted(oneOf('auto', 'secur32', 'gssapi', 'portable'), 'auto'),
    /**
     * Native library of the provider, such as `libgssapi_krb5.so.2` or Heimdal's `libgssapi.so.3`; for `secur32` elsewhere
     * than on Windows `libwinpr2.so.2`.
     */
    library: optional(text, {
      otherwise: "that of the system, MIT krb5's first",
      schemes: ['Negotiate', 'Kerberos', 'NTLM'],
      providers: ['secur32', 'gssapi'],
    }),
    /** Security packages that may run within Negotiate, and beside it: `['Kerberos']` refuses NTLM in every form. */
    packages: optional(someOf('Kerberos', 'NTLM'), { otherwise: 'all that the provider has', ...handshakes }),
    /** ASC_RET_* bits (sspi-auth/sspi) that a finished context must have, such as ASC_RET_INTEGRITY. */
    requiredAttributes: defaulted(attributeBits, 0),
    /** Path of the keytab with the server's keys. */
    keytab: optional(text, {
      otherwise: "the machine's, where no `accounts` are given or another option asks for Kerberos",
      ...kerberosAlone,
    }),
    /**
     * Where accepted Kerberos authenticators are remembered, so that none is accepted twice: true is the cache that the
     * Kerberos services of this user share, a name such as `file2:/run/app/replay` is one of your own, false is none.
     */
    replayCache: optional(replayCache, { otherwise: '`true`', ...kerberosAlone }),
    /** Refuse Kerberos tickets without a PAC, which says whose SIDs and groups they are. */
    requirePac: optional(flag, { otherwise: '`false`', ...kerberosAlone }),
    /** Keep tickets that clients forward, as `request.sspi.delegatedCredentials`. */
    delegate: optional(flag, { otherwise: '`false`', ...kerberosAlone }),
    /** Take Kerberos tickets of RC4 (arcfour-hmac), which can be broken offline. */
    allowRc4: optional(flag, { otherwise: '`false`', ...kerberosAlone }),
    /** Verify Kerberos off the event loop: slower, but a slow file system does not hold up other requests. */
    asynchronous: optional(flag, { otherwise: '`false`', ...kerberosAlone }),
    /** Service principal names that tickets may be for, such as `HTTP/intranet.example.com`. */
    servicePrincipalNames: optional(listOf(servicePrincipalName, 'names'), {
      otherwise: 'every `HTTP/…` service that the keytab has a key for',
      schemes: ['Negotiate', 'Kerberos'],
      providers: ['gssapi', 'secur32'],
    }),
    /** Who verifies NTLM and Digest, on Windows too: `memoryAccounts([...])`, `smbpasswdFile(path)`, or your own. */
    accounts: optional(accountSource, { schemes: ['Negotiate', 'NTLM', 'Digest'] }),
    /** NetBIOS domain of accounts that name none, and of the NTLM challenge. */
    domain: optional(netBiosName, {
      otherwise: "this computer's name",
      schemes: ['Negotiate', 'NTLM', 'Digest'],
    }),
    /** Realm of Digest: what a browser shows to its user. At most 512 bytes of UTF-8. */
    realm: optional(realm, { otherwise: 'the domain', ...digestAlone }),
    /** Options of Digest alone. */
    digest: optional(group(digestProtocolOptions), digestAlone),
    /**
     * Channel bindings of TLS connections. `never`; `whenSupported`: a client that sends them must send the right ones;
     * `always`: every client must send them, and Digest, which cannot, is not offered.
     */
    channelBinding: defaulted(oneOf('never', 'whenSupported', 'always'), 'whenSupported'),
    /** How long an NTLM, Kerberos or Negotiate sign-in lasts: as long as its `connection`, or for its `request` alone. */
    persistence: defaulted(oneOf('connection', 'request'), 'connection', handshakes),
    /** Let a request without credentials through, with no user. Wrong credentials are refused all the same. */
    anonymous: defaulted(flag, false),
    /** Requests this library should not look at at all. Must answer at once: a promise gives 500. */
    skip: optional(callable<(request: R) => boolean>()),
    /** Whether an authenticated user may go on; anything but true gives 403. Asked for every request. */
    authorize: optional(callable<(user: Identity, request: R) => boolean | Promise<boolean>>()),
    /** pino, or anything of its shape such as `console`; `false` for none. */
    logger: optional(logger, { otherwise: 'none; in Fastify its own' }),
    /** What a client can make the server hold. */
    limits: defaulted(group(limitOptions), defaultsOf(limitOptions)),
    /** For tests: where the time comes from. */
    clock: defaulted(clock, systemClock, { otherwise: "the machine's" }),
    /** For tests: where nonces and challenges come from. */
    random: defaulted(random, systemRandom, { otherwise: "the machine's" }),
  };
}

type Table<R> = ReturnType<typeof optionTable<R>>;

/** Every option, with what it concerns; for the providers and for the documentation. */
export const options: Table<unknown> = Object.freeze(optionTable<unknown>());

/** Options of every adapter. `R` is the framework's request. */
export type SspiAuthOptions<R = unknown> = OptionsOf<Table<R>>;

/** HTTP authentication schemes this library can speak, by their names in WWW-Authenticate. */
export type SchemeName = NonNullable<SspiAuthOptions['schemes']>[number];

/** Who supplies the security packages. */
export type ProviderName = NonNullable<SspiAuthOptions['provider']>;

/** Limits on what a client can make the server hold. */
export type Limits = OptionsOf<typeof limitOptions>;

/** Options that concern Digest alone. */
export type DigestOptions = OptionsOf<typeof digestProtocolOptions>;

/** Options after checking: nothing is missing but what has no default. */
export interface Settings<R = unknown> extends Omit<SettingsOf<Table<R>>, 'domain' | 'realm'> {
  /** NetBIOS name of this computer. */
  readonly computerName: string;
  readonly domain: string;
  readonly realm: string;
  /** The options that were given, by name. */
  readonly given: readonly (keyof Table<R>)[];
}

/** What of the settings decides which schemes are offered. */
export type SchemeSettings = Omit<Settings, 'skip' | 'authorize'>;

/**
 * Checks options and fills in defaults.
 *
 * @throws OptionError naming the option, what it was and what to write instead
 */
export function parseOptions<R>(given: SspiAuthOptions<R> = {}): Settings<R> {
  if (typeof given === 'object' && given !== null && 'httpVersion' in given) {
    throw new OptionError('options', 'is a request', 'Call it to get what handles requests: app.use(sspiAuth({ … })).');
  }
  const table = optionTable<R>();
  const read = readOptions(table, given, 'options');
  const computerName = netBiosNameOf(hostname()) || 'LOCALHOST';
  const domain = read.domain ?? computerName;
  return Object.freeze({ ...read, computerName, domain, realm: read.realm ?? domain, given: givenNames(table, given) });
}
