/**
 * Whether a page of another site had a browser send a request (attacks A20, H01). A browser adds what it knows of its user by
 * itself: the connection, cookies, and credentials of single sign-on. What the page cannot change are Sec-Fetch-Site (W3C
 * Fetch Metadata) and Origin (RFC 6454 section 7).
 */
import type { Exchange } from './exchange.ts';
import { methodOf } from './request-line.ts';

/** Methods that change nothing: RFC 9110 section 9.2.1. TRACE is left out, which Node's applications do not serve. */
function isSafe(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/**
 * Whether a request may come from any site: its method changes nothing, on the wire and after what the application has made
 * of it. An upgrade may not, for it opens a channel that its page can read (attack H02).
 */
export function mayComeFromAnywhere(exchange: Exchange): boolean {
  if (!isSafe(exchange.method) || (exchange as { readonly upgrade?: unknown }).upgrade === true) return false;
  return exchange.originalMethod === undefined || isSafe(methodOf(exchange));
}

/**
 * What says that a request comes from another site.
 *
 * @param rawHeaders names and values alternating
 * @param origins that may send requests, as Origin writes them
 * @returns words for the log, with what was compared; undefined if nothing says so
 */
export function crossSiteEvidence(rawHeaders: readonly string[], origins: readonly string[]): string | undefined {
  let site: string | undefined;
  let origin: string | undefined;
  let host: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const value = rawHeaders[index + 1] ?? '';
    switch ((rawHeaders[index] ?? '').toLowerCase()) {
      case 'sec-fetch-site':
        // Of several the worst counts: no browser sends more than one.
        site = site === 'cross-site' ? site : value.toLowerCase();
        break;
      case 'origin':
        origin = origin === undefined ? value : 'null';
        break;
      case 'host':
      case ':authority':
        host = value;
    }
  }
  if (origin !== undefined && origins.includes(origin.toLowerCase())) return undefined;
  if (site === 'cross-site' || site === 'same-site') {
    return `Sec-Fetch-Site is ${site}, Origin is ${quoted(origin)}, Host is ${quoted(host)}`;
  }
  if (site === 'same-origin' || site === 'none' || origin === undefined) return undefined;
  return isHost(origin, host) ? undefined : `Origin is ${quoted(origin)}, Host is ${quoted(host)}`;
}

function quoted(value: string | undefined): string {
  return value === undefined ? 'absent' : JSON.stringify(value.slice(0, 256));
}

const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443' };

/** Whether an origin has the host and the port of a Host field. Its scheme does not count: a proxy may end TLS. */
function isHost(origin: string, host: string | undefined): boolean {
  const [, scheme = '', name, port] = /^([a-z]+):\/\/(\[[0-9a-f:.]+\]|[^:/?#@[\]]+)(?::(\d+))?$/i.exec(origin) ?? [];
  const [, hostName, hostPort] = /^(\[[0-9a-f:.]+\]|[^:/?#@[\]]+)(?::(\d*))?$/i.exec(host ?? '') ?? [];
  if (name === undefined || hostName === undefined || name.toLowerCase() !== hostName.toLowerCase()) return false;
  const standard = defaultPorts[scheme.toLowerCase()];
  return (port ?? standard) === (hostPort === undefined || hostPort === '' ? standard : hostPort);
}
