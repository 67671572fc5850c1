/**
 * Why a client that was asked for credentials may have sent none. Nothing of it is proven: the server sees only that
 * nothing came. What is more likely for such a request comes first.
 */
import { printable } from '../../foundation/text.ts';
import type { ClientKind, RequestHost } from '../../http/request-fields.ts';

/** The causes, by which programs can tell them apart. */
export type UnansweredCause =
  | 'preflight'
  | 'http-2'
  | 'host-is-address'
  | 'host-not-in-keytab'
  | 'through-proxy'
  | 'health-check'
  | 'fetched-without-credentials'
  | 'browser-not-told'
  | 'no-ticket'
  | 'no-credentials-given';

/** What is known of the request. */
export interface UnansweredFacts {
  readonly client: ClientKind;
  readonly host: RequestHost | undefined;
  /** Names of the schemes that it was offered. */
  readonly offered: readonly string[];
  /** A scheme of this server may run Kerberos. */
  readonly kerberos: boolean;
  /** Hosts of the services that Kerberos has keys for; undefined: not known. */
  readonly serviceHosts: readonly string[] | undefined;
  readonly http2: boolean;
  /** A proxy says that it passed the request on. */
  readonly throughProxy: boolean;
  readonly fetchedWithoutCredentials: boolean;
  /** Origin of the page that sent a preflight; undefined: it is none. */
  readonly preflightOrigin: string | undefined;
}

/** A likely cause, with what to do about it. */
export interface LikelyCause {
  readonly cause: UnansweredCause;
  readonly text: string;
}

/** How many names of a keytab are shown. */
const MAX_HOSTS = 5;

/** The likely causes, at least one. */
export function likelyCauses(facts: UnansweredFacts): readonly LikelyCause[] {
  const { client, host, http2, kerberos, preflightOrigin } = facts;
  if (preflightOrigin !== undefined) return [preflight(preflightOrigin)];
  const causes: LikelyCause[] = [];
  const add = (cause: UnansweredCause, text: string): number => causes.push({ cause, text });
  if (http2 && !facts.offered.some((name) => name !== 'Digest')) add('http-2', onlyOverHttp1(facts.offered));
  if (client === 'health-check') add('health-check', 'let health checks in by option skip');
  if (facts.fetchedWithoutCredentials) add('fetched-without-credentials', fetchWithCredentials);
  if (kerberos && host?.isAddress === true) {
    add('host-is-address', `open the site by its name: no ticket can be had for the address ${shownHost(host)}`);
  } else if (kerberos && host !== undefined && isForeign(host, facts.serviceHosts)) {
    add('host-not-in-keytab', foreignHost(host, facts.serviceHosts ?? []));
  }
  if (facts.throughProxy) add('through-proxy', throughProxy);
  if (kerberos && !http2) {
    const telling = howToTell(client, host);
    if (telling !== undefined) add('browser-not-told', telling);
    if (client !== 'health-check') add('no-ticket', noTicket);
  }
  if (client === 'curl') add('no-credentials-given', curlOptions(facts));
  if (causes.length === 0) add('no-credentials-given', noCredentials);
  return causes;
}

function preflight(origin: string): LikelyCause {
  const text = `a CORS preflight from ${printable(origin)} got 401, because browsers send no credentials with it: answer preflights before sspiAuth, or give skip: isPreflight`;
  return { cause: 'preflight', text };
}

function onlyOverHttp1(offered: readonly string[]): string {
  const what = offered.length === 0 ? 'nothing' : offered.join(', ');
  return `serve HTTP/1.1: over HTTP/2 there is no Negotiate and no NTLM, and ${what} was offered`;
}

const fetchWithCredentials =
  'the page fetches without credentials: give fetch() credentials: \'include\', and a link or script crossorigin="use-credentials"';

const throughProxy =
  'see that the proxy passes on WWW-Authenticate and Authorization (nginx: no proxy_hide_header and no proxy_set_header for them)';

const noTicket = 'see by klist that the user of the client has a ticket (kinit, or signing in to the domain, gets one)';

const noCredentials = 'the client was given no user name and password, or its user has not answered its prompt';

function isForeign({ name }: RequestHost, serviceHosts: readonly string[] | undefined): boolean {
  return serviceHosts !== undefined && !serviceHosts.includes(name);
}

function foreignHost(host: RequestHost, serviceHosts: readonly string[]): string {
  const more = serviceHosts.length > MAX_HOSTS ? ` and ${serviceHosts.length - MAX_HOSTS} more` : '';
  const known = serviceHosts
    .slice(0, MAX_HOSTS)
    .map((name) => printable(name))
    .join(', ');
  return (
    `register the service HTTP/${shownHost(host)} and export its key, or open the site by a name that the keytab has: ` +
    `${known}${more}`
  );
}

function shownHost({ name }: RequestHost): string {
  return printable(name);
}

/** How a browser is told to sign in to a host; undefined for what is no browser. */
function howToTell(client: ClientKind, host: RequestHost | undefined): string | undefined {
  const site = host === undefined ? 'this site' : shownHost(host);
  switch (client) {
    case 'chromium':
      return `tell Chrome or Edge to sign in to ${site}: AuthServerAllowlist, or the intranet zone of Windows (docs/browsers.md)`;
    case 'firefox':
      return `tell Firefox to sign in to ${site}: network.negotiate-auth.trusted-uris (docs/browsers.md)`;
    case 'safari':
    case 'curl':
    case 'health-check':
    case 'other':
      return undefined;
  }
}

function curlOptions({ offered, kerberos }: UnansweredFacts): string {
  const ways = [
    ...(kerberos ? ['--negotiate -u :'] : []),
    ...(offered.includes('NTLM') ? ['--ntlm -u USER'] : []),
    ...(offered.includes('Digest') ? ['--digest -u USER'] : []),
  ];
  return `call curl with ${ways.length === 0 ? 'credentials' : ways.join(' or ')}`;
}
