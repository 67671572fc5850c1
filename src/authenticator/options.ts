/**
 * Options of createAuthenticator and of every adapter. They are checked, completed with defaults and frozen at start.
 */
import { hostname } from 'node:os';
import { accountSource } from '../accounts/account-source.ts';
import { servicePrincipalName } from '../formats/kerberos/service-principal-name.ts';
import { dnsName } from '../formats/dns-name.ts';
import { netBiosName, netBiosNameOf } from '../formats/netbios-name.ts';
import { systemClock, systemRandom } from '../foundation/clock.ts';
import { OptionError } from '../foundation/errors.ts';
import { defaulted, defaultsOf, givenNames, group, optional, readOptions } from '../foundation/option-table.ts';
import type { Concerns, OptionsOf, SettingsOf } from '../foundation/option-table.ts';
import { callable, clock, flag, listOf, oneOf, random, shown, someOf, text } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import type { Refusal } from '../http/refusal.ts';
import type { Identity } from '../identity/identity.ts';
import { digestProtocolOptions, realm } from '../packages/digest/digest-auth-data.ts';
import { keytab } from '../packages/kerberos/keys/key-source.ts';
import { portableKerberosOptions } from '../packages/kerberos/portable-auth-data.ts';
import { ASC_RET_NULL_SESSION } from '../sspi/requirements.ts';
import { sessionOptions } from '../sessions/session-options.ts';
import { sharedStore } from '../stores/shared-store.ts';
import { logger } from './audit.ts';
import { credsspHttpOptions, limitOptions } from './limit-options.ts';
import { isOwnScheme, otherSchemes } from './other-schemes.ts';

const kerberosSchemes = { schemes: ['Negotiate', 'Kerberos', 'CredSSP'] };
const kerberosAlone: Concerns = { ...kerberosSchemes, providers: ['gssapi', 'portable'] };
const gssapiAlone: Concerns = { ...kerberosSchemes, providers: ['gssapi'] };
const portableKerberosAlone: Concerns = { ...kerberosSchemes, providers: ['portable'] };
const digestAlone: Concerns = { schemes: ['Digest'] };
const handshakes: Concerns = { schemes: ['Negotiate', 'Kerberos', 'NTLM', 'CredSSP'] };
const credsspAlone: Concerns = { schemes: ['CredSSP'] };

/** ASC_RET_* bits, unsigned 32 bits. */
const attributeBits: Reader<number> = (value, option) => {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0xffffffff) {
    throw new OptionError(option, shown(value), 'Give ASC_RET_* bits of sspi-auth/sspi, or leave it out.');
  }
  if (((value as number) & ASC_RET_NULL_SESSION) !== 0) {
    throw new OptionError(
      option,
      'has ASC_RET_NULL_SESSION, but an anonymous session is never admitted',
      'Leave that bit out.',
    );
  }
  return value as number;
};

/** Each provider checks a name by its own rules when the credential is acquired. */
const replayCache: Reader<boolean | string> = (value, option) =>
  typeof value === 'boolean' ? value : text(value, option);

/** A challenge of the application's own: a scheme, and what the field has after it. */
const challenge: Reader<string> = (value, option) => {
  const scheme =
    typeof value === 'string' ? /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: [ -~]*)?$/.exec(value)?.[1] : undefined;
  const cure = `Write a value of WWW-Authenticate, such as 'Bearer realm="api"'.`;
  if (scheme === undefined) throw new OptionError(option, shown(value), cure);
  if (isOwnScheme(scheme)) {
    throw new OptionError(option, 'is of a scheme that sspi-auth offers itself', 'Name it in "schemes".');
  }
  return value as string;
};

/** Origins as browsers write them (RFC 6454 section 6.2), in lower case. */
const origins: Reader<'refuse' | 'allow' | readonly string[]> = (value, option) => {
  if (value === 'refuse' || value === 'allow') return value;
  const cure = "Give 'refuse', 'allow', or an array of origins such as 'https://intranet.example.com'.";
  if (!Array.isArray(value) || value.length === 0) throw new OptionError(option, shown(value), cure);
  return Object.freeze(
    value.map((origin: unknown, index) => {
      const isOrigin =
        typeof origin === 'string' && URL.canParse(origin) && new URL(origin).origin === origin.toLowerCase();
      if (!isOrigin || origin === 'null') throw new OptionError(`${option}[${index}]`, shown(origin), cure);
      return origin.toLowerCase();
    }),
  );
};

/** `error`, or a function. */
const refuse = <F extends (...parameters: never[]) => unknown>(): Reader<'error' | F> => {
  const asFunction = callable<F>();
  return (value, option) => {
    if (typeof value === 'string' && value !== 'error') {
      throw new OptionError(option, shown(value), "Give 'error' or a function, or leave it out.");
    }
    return value === 'error' ? value : asFunction(value, option);
  };
};

/**
 * Answers a refusal in the terms of a framework: `C` is what it is given before the refusal. Options that are written
 * for no framework in particular have a function that needs nothing.
 */
export type AnswerRefusal<C extends readonly unknown[]> = [C] extends [never]
  ? () => unknown
  : (...parameters: [...context: C, refusal: Refusal]) => unknown;

/** HTTP schemes of this library. */
const schemeNames = ['Negotiate', 'Kerberos', 'NTLM', 'Digest', 'CredSSP'] as const;
type SchemeNames = (typeof schemeNames)[number];

/** The table. `R` is the framework's request, `C` what the framework gives a function that answers. */
function optionTable<R, C extends readonly unknown[]>() {
  return {
    /** Schemes offered, in this order. CredSSP is offered only if it is named here: its clients give their passwords away. */
    schemes: optional(someOf(...schemeNames), {
      otherwise: 'all that can be verified, strongest first',
    }),
    /**
     * Where the security packages come from. `auto`: Windows' own on Windows; elsewhere Kerberos of the GSSAPI library if
     * one is installed, else the portable one, and NTLM and Digest that are portable. `portable`: nothing native.
     */
    provider: defaulted(oneOf('auto', 'secur32', 'gssapi', 'portable'), 'auto'),
    /**
     * Native library of the provider, never loaded by `portable`, such as `libgssapi_krb5.so.2` or Heimdal's `libgssapi.so.3`; for `secur32` on
     * other systems than Windows `libwinpr2.so.2`.
     */
    library: optional(text, {
      otherwise: "the system's; MIT krb5 is tried first",
      schemes: ['Negotiate', 'Kerberos', 'NTLM', 'CredSSP'],
      providers: ['secur32', 'gssapi'],
    }),
    /**
     * Security packages that may run, both inside Negotiate and as schemes of their own. `['Kerberos']` refuses NTLM in
     * every form.
     */
    packages: optional(someOf('Kerberos', 'NTLM'), { otherwise: 'all that the provider has', ...handshakes }),
    /** ASC_RET_* bits (sspi-auth/sspi) that a finished context must have, such as ASC_RET_INTEGRITY. */
    requiredAttributes: defaulted(attributeBits, 0),
    /**
     * The keytab with the server's keys: its path, its bytes, or `kerberosKeys({ … })` of an account's password. GSSAPI
     * takes a path alone.
     */
    keytab: optional(keytab, {
      otherwise: "the machine's, if `accounts` is not given or another option asks for Kerberos",
      ...kerberosAlone,
    }),
    /**
     * Where accepted Kerberos authenticators are remembered, so that none is accepted twice. `true` with GSSAPI: in the
     * cache that KRB5RCACHENAME or krb5.conf names, else in the one that all Kerberos services of this user share; a name
     * such as `file2:/run/app/replay` is a cache of your own. `true` with the portable provider: in a folder of this user
     * under /var/tmp; a path such as `/run/app/replay` is a folder of your own. `false`: nowhere.
     */
    replayCache: optional(replayCache, { otherwise: '`true`', ...kerberosAlone }),
    /**
     * How far the clocks of client, KDC and server may differ, in milliseconds. GSSAPI has `clockskew` of krb5.conf
     * instead.
     */
    clockSkewMilliseconds: optional(portableKerberosOptions.clockSkewMilliseconds.read, {
      otherwise: '300000',
      ...portableKerberosAlone,
    }),
    /** Refuse Kerberos tickets without a PAC. The PAC says which SID and groups the user has. */
    requirePac: optional(flag, { otherwise: '`false`', ...kerberosAlone }),
    /**
     * Take nothing from the PAC of a Kerberos ticket: a client is its principal, without SID and groups. Who has a copy
     * of the keytab can write any PAC.
     */
    ignorePac: optional(flag, { otherwise: '`false`', ...kerberosAlone }),
    /**
     * Keep the tickets that clients forward, and the passwords that clients of CredSSP give away, as
     * `request.sspi.delegatedCredentials`.
     */
    delegate: optional(flag, { otherwise: '`false`', ...kerberosAlone }),
    /** Accept Kerberos tickets encrypted with RC4 (arcfour-hmac), which can be broken offline. */
    allowRc4: optional(flag, { otherwise: '`false`', ...kerberosAlone }),
    /** Verify Kerberos of GSSAPI off the event loop. This is slower, but a slow file system does not delay other requests. */
    asynchronous: optional(flag, { otherwise: '`false`', ...gssapiAlone }),
    /**
     * Service principal names that clients must mean one of, such as `HTTP/intranet.example.com`. A Kerberos ticket must
     * be for it. An NTLM client must name it in its response, and one that names no service is refused. Clients of Digest
     * cannot, so Digest is not offered.
     */
    servicePrincipalNames: optional(listOf(servicePrincipalName, 'names'), {
      otherwise: 'for Kerberos every `HTTP/…` service that the keytab has a key for, for NTLM any',
    }),
    /** Refuse NTLM clients that send no MIC, such as curl and Firefox. A MIC that a client sends is always checked. */
    requireMic: optional(flag, {
      otherwise: '`false`',
      schemes: ['Negotiate', 'NTLM', 'CredSSP'],
      providers: ['gssapi', 'portable'],
    }),
    /**
     * The account source that verifies NTLM and Digest, on Windows too: `memoryAccounts([...])`, `smbpasswdFile(path)`,
     * or your own.
     */
    accounts: optional(accountSource, { schemes: ['Negotiate', 'NTLM', 'Digest', 'CredSSP'] }),
    /** NetBIOS domain of accounts that name no domain, and of the NTLM challenge. */
    domain: optional(netBiosName, {
      otherwise: "this computer's name",
      schemes: ['Negotiate', 'NTLM', 'Digest', 'CredSSP'],
    }),
    /**
     * DNS name of the domain: sent in the NTLM challenge, and clients may write it for `domain`, as in
     * `corp.example.com\alice` and `alice@corp.example.com`.
     */
    dnsDomain: optional(dnsName, { schemes: ['Negotiate', 'NTLM', 'Digest', 'CredSSP'] }),
    /** Realm of Digest, which a browser shows to its user. At most 512 bytes of UTF-8. */
    realm: optional(realm, { otherwise: 'the domain', ...digestAlone }),
    /** Options for Digest only. */
    digest: optional(group(digestProtocolOptions), digestAlone),
    /** Options for CredSSP only: [CredSSP](credssp.md). */
    credssp: optional(group(credsspHttpOptions), credsspAlone),
    /**
     * Offer CredSSP on connections without TLS as well, as WinRM does on port 5985. The requests that such a connection
     * admits are those whose encrypted body `winrmEncryption()` has opened; mount it before.
     */
    allowCredSspWithoutTls: optional(flag, { otherwise: '`false`', ...credsspAlone }),
    /**
     * What the processes behind one name share: `redisStore(client)`, `clusterStore()`, or your own. With it, and one
     * `digest.secret`, each accepts the nonces of Digest that another has issued. The portable provider of Kerberos
     * remembers accepted authenticators there, in place of a folder. See [fleets](fleets.md).
     */
    store: optional(sharedStore, {
      otherwise: 'none: each process knows what it has accepted itself, and a folder what the portable Kerberos has',
    }),
    /**
     * Channel bindings of TLS connections. `never`: they are not checked. `whenSupported`: a client that sends them
     * must send the right ones. `always`: every client must send them; Digest and CredSSP cannot, so they are not offered.
     */
    channelBinding: defaulted(oneOf('never', 'whenSupported', 'always'), 'whenSupported'),
    /**
     * How long an NTLM, Kerberos, Negotiate or CredSSP sign-in lasts: for its `connection`, up to `limits.identityMilliseconds`, or
     * only for its `request`.
     */
    persistence: defaulted(oneOf('connection', 'request'), 'connection', handshakes),
    /**
     * Keep the security context of a user who has signed in, for `request.sspi.impersonate` (Windows only). `false` frees
     * it when the handshake is over.
     */
    impersonation: optional(flag, { otherwise: '`true`', ...handshakes, providers: ['secur32'] }),
    /** Admit requests without credentials, with no user. Wrong credentials are still refused. */
    anonymous: defaulted(flag, false),
    /** Returns true for a request that sspi-auth must leave alone. Must return at once: a promise gives 500. */
    skip: optional(callable<(request: R) => boolean>()),
    /** Decides whether an authenticated user is admitted; anything but `true` gives 403. Called for every request. */
    authorize: optional(callable<(user: Identity, request: R) => boolean | Promise<boolean>>()),
    /**
     * Schemes that the application verifies itself, such as `{ Bearer: (request) => user }`. The function is given the
     * request and gives its user, or undefined (401), or a promise of either. `'pass'` hands such requests on without a
     * user. They never get the user of their connection.
     */
    otherSchemes: optional(otherSchemes<R>()),
    /** Further challenges of a 401, after those of `schemes`: values of WWW-Authenticate, such as `Bearer realm="api"`. */
    challenges: optional(listOf(challenge, 'values of WWW-Authenticate')),
    /**
     * Which of `schemes` a request is offered and may use, so that clients which cannot sign in get no prompt; `[]` is
     * none. Must return at once. A name that is not offered gives 500. Not asked for requests of a signed-in connection.
     */
    schemesFor: optional(callable<(request: R) => readonly SchemeNames[]>()),
    /**
     * Who writes the answer to a refused request. `'error'`: the error handler of the framework. A function is given what
     * a handler of the framework is given, and `{ status, retryAfter }`. Status and fields are set before, and stay.
     */
    refuse: optional(refuse<AnswerRefusal<C>>(), {
      otherwise: 'sspi-auth, in HTML, JSON or text, as the client accepts it',
    }),
    /**
     * What the application adds to a user who signs in, such as roles: gives the user that handlers get, or a promise. It
     * is called once for each sign-in, with Digest for each request. Where it fails, or takes longer than
     * `limits.handshakeMilliseconds`, the answer is 500.
     */
    enrich: optional(callable<(user: Identity, request: R) => Identity | Promise<Identity>>()),
    /**
     * How `user.name` is written. In the form with a realm an account without one has its domain there, and in the form
     * with a domain one without has its realm. `user` alone can be the same for accounts of different domains.
     */
    nameFormat: defaulted(oneOf('DOMAIN\\user', 'user@REALM', 'user'), 'DOMAIN\\user'),
    /**
     * A sealed cookie that spares further handshakes, on other connections and in other processes, and with which users can
     * sign out. Needs the package `jose`. See [sessions](sessions.md).
     */
    session: optional(group(sessionOptions), { otherwise: 'none: a sign-in lasts as long as its connection' }),
    /**
     * Requests that pages of other sites have a browser send, but for GET, HEAD and OPTIONS. `refuse`: 403. An array: origins
     * that may send them beside the server's own. `allow`: the application looks after that itself. Requests of
     * `otherSchemes` are not concerned.
     */
    crossSite: defaulted(origins, 'refuse'),
    /** pino, or any object with the same methods such as `console`; `false` for no log. */
    logger: optional(logger, { otherwise: "none; in Fastify, Fastify's own" }),
    /** Limits on what a client can make the server hold. */
    limits: defaulted(group(limitOptions), defaultsOf(limitOptions)),
    /** For tests: where the time comes from. */
    clock: defaulted(clock, systemClock, { otherwise: "the machine's" }),
    /** For tests: where nonces and challenges come from. */
    random: defaulted(random, systemRandom, { otherwise: "the machine's" }),
  };
}

type Table<R, C extends readonly unknown[] = never> = ReturnType<typeof optionTable<R, C>>;

/** Every option with the schemes and providers it applies to; for the providers and for the documentation. */
export const options: Table<unknown> = Object.freeze(optionTable<unknown, never>());

/**
 * Options of every adapter. `R` is the framework's request, `C` what the framework gives a function that answers: in
 * Express `[request, response]`.
 */
export type SspiAuthOptions<R = unknown, C extends readonly unknown[] = never> = OptionsOf<Table<R, C>>;

/** HTTP authentication schemes that this library supports, by their names in WWW-Authenticate. */
export type SchemeName = NonNullable<SspiAuthOptions['schemes']>[number];

/** Where the security packages come from. */
export type ProviderName = NonNullable<SspiAuthOptions['provider']>;

/** Limits on what a client can make the server hold. */
export type Limits = OptionsOf<typeof limitOptions>;

/** Options for Digest only. */
export type DigestOptions = OptionsOf<typeof digestProtocolOptions>;

export type { SessionOptions } from '../sessions/session-options.ts';

/** Options for CredSSP only. */
export type CredSspOptions = OptionsOf<typeof credsspHttpOptions>;

/** Options after checking. Only an option that has no default can be undefined. */
export interface Settings<R = unknown, C extends readonly unknown[] = never> extends Omit<
  SettingsOf<Table<R, C>>,
  'domain' | 'realm'
> {
  /** NetBIOS name of this computer. */
  readonly computerName: string;
  readonly domain: string;
  readonly realm: string;
  /** The options that were given, by name. */
  readonly given: readonly (keyof Table<R, C>)[];
}

/** The settings that decide which schemes are offered. */
export type SchemeSettings = Omit<Settings, FunctionsOfRequests>;

/** Options that are functions of a request. */
type FunctionsOfRequests = 'skip' | 'authorize' | 'otherSchemes' | 'schemesFor' | 'refuse' | 'enrich';

/**
 * Checks options and fills in defaults.
 *
 * @throws OptionError that names the option, what is wrong with it and what to write instead
 */
export function parseOptions<R, C extends readonly unknown[] = never>(
  given: SspiAuthOptions<R, C> = {},
): Settings<R, C> {
  if (typeof given === 'object' && given !== null && 'httpVersion' in given) {
    throw new OptionError('options', 'is a request', 'Call sspiAuth() and use its result: app.use(sspiAuth({ … })).');
  }
  const table = optionTable<R, C>();
  const read = readOptions(table, given, 'options');
  const computerName = netBiosNameOf(hostname()) || 'LOCALHOST';
  const domain = read.domain ?? computerName;
  return Object.freeze({ ...read, computerName, domain, realm: read.realm ?? domain, given: givenNames(table, given) });
}
