/**
 * Why a client that was asked for credentials may have sent none. What is more likely for such a request comes first.
 */
import type { ClientKind, RequestHost } from '../../http/request-fields.ts';
import { reason } from '../../identity/reasons/reason.ts';
import type { unansweredReasons } from '../../identity/reasons/unanswered.ts';

/** A cause, by which programs can tell them apart: a row of the table of reasons. */
export type UnansweredCause = keyof typeof unansweredReasons;

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

/** The likely causes, at least one. */
export function likelyCauses(facts: UnansweredFacts): readonly LikelyCause[] {
  const { client, host, http2, offered, preflightOrigin: origin, serviceHosts } = facts;
  if (origin !== undefined) return [{ cause: 'preflight', text: reason('preflight', { origin }) }];
  const kerberos = facts.kerberos && !http2;
  const causes: LikelyCause[] = [];
  const add = (cause: UnansweredCause, text: string): number => causes.push({ cause, text });
  if (http2) add('http-2', reason('http-2', { offered }));
  if (client === 'health-check') add('health-check', reason('health-check'));
  if (facts.fetchedWithoutCredentials) add('fetched-without-credentials', reason('fetched-without-credentials'));
  if (facts.throughProxy) add('through-proxy', reason('through-proxy'));
  // A proxy may write its own name of this server, which is often an address.
  const byAddress = host?.isAddress === true && !facts.throughProxy;
  if (kerberos && byAddress) {
    add('host-is-address', reason('host-is-address', { host: host.name }));
  } else if (kerberos && host?.isAddress === false && serviceHosts?.includes(host.name) === false) {
    add('host-not-in-keytab', reason('host-not-in-keytab', { host: host.name, hosts: serviceHosts }));
  }
  // No browser, ticket or option of curl helps where the address alone keeps the client out.
  if (kerberos && byAddress && !offered.some(worksByAddress)) return causes;
  if (kerberos && client !== 'health-check') {
    const site = { host: host?.name ?? 'this site' };
    if (client === 'chromium') add('chromium-not-told', reason('chromium-not-told', site));
    if (client === 'firefox') add('firefox-not-told', reason('firefox-not-told', site));
    add('no-ticket', reason('no-ticket'));
  }
  if (client === 'curl') add('curl-without-option', reason('curl-without-option', { ways: curlOptions(facts) }));
  if (causes.length === 0) add('no-credentials-given', reason('no-credentials-given'));
  return causes;
}

const worksByAddress = (name: string): boolean => name === 'NTLM' || name === 'Digest';

function curlOptions({ offered }: UnansweredFacts): string {
  const ways = offered.flatMap((name) => {
    if (name === 'Negotiate') return ['`--negotiate -u :`'];
    return name === 'NTLM' || name === 'Digest' ? [`\`--${name.toLowerCase()} -u USER\``] : [];
  });
  return ways.length === 0 ? 'credentials' : ways.join(' or ');
}
