/** What the fields of a request tell of its client, for the log. A client can write anything there. */
import { isIP } from 'node:net';

/**
 * The value of the first field of a name.
 *
 * @param rawHeaders names and values alternating
 * @param name in lower case
 */
export function fieldValue(rawHeaders: readonly string[], name: string): string | undefined {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index];
    if (candidate?.length === name.length && candidate.toLowerCase() === name) return rawHeaders[index + 1];
  }
  return undefined;
}

/** The name by which a client calls this server. */
export interface RequestHost {
  /** In lower case, without port and without the brackets of an IPv6 address. Not checked. */
  readonly name: string;
  /** It is an address. A Kerberos ticket is for a name. */
  readonly isAddress: boolean;
}

/** From Host, or :authority of HTTP/2 (RFC 9110 section 7.2); undefined if the client sent none. */
export function hostOf(rawHeaders: readonly string[]): RequestHost | undefined {
  const value = fieldValue(rawHeaders, ':authority') ?? fieldValue(rawHeaders, 'host');
  if (value === undefined || value === '') return undefined;
  const [, address, written] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(value) ?? [undefined, undefined, value];
  const name = (address ?? written ?? value).toLowerCase().replace(/\.$/, '');
  return { name, isAddress: isIP(name) !== 0 };
}

/** What kind of program sends a request, by its User-Agent. */
export type ClientKind = 'chromium' | 'firefox' | 'safari' | 'curl' | 'health-check' | 'other';

/** The first that matches counts: Edge and Opera call themselves Chrome, and Chrome calls itself Safari. */
const kinds: readonly (readonly [form: RegExp, kind: ClientKind])[] = [
  [/^curl\//, 'curl'],
  [
    /^(?:kube-probe|ELB-HealthChecker|GoogleHC|Envoy\/HC|Consul Health Check|HAProxy|Edge Health Probe)|health-?check|uptime|pingdom|blackbox/i,
    'health-check',
  ],
  [/(?:Chrome|Chromium|HeadlessChrome)\//, 'chromium'],
  [/Firefox\//, 'firefox'],
  [/Version\/[\d.]+ .*Safari\//, 'safari'],
];

/** The kind of program that a User-Agent names. */
export function clientKindOf(userAgent: string | undefined): ClientKind {
  const begin = userAgent?.slice(0, 256) ?? '';
  return kinds.find(([form]) => form.test(begin))?.[1] ?? 'other';
}

/** Whether a page fetches in a way in which its browser sends no credentials (Fetch Metadata, Sec-Fetch-*). */
export function fetchesWithoutCredentials(rawHeaders: readonly string[]): boolean {
  const destination = fieldValue(rawHeaders, 'sec-fetch-dest');
  if (destination === 'manifest') return true;
  return (
    fieldValue(rawHeaders, 'sec-fetch-mode') === 'cors' && fieldValue(rawHeaders, 'sec-fetch-site') !== 'same-origin'
  );
}
