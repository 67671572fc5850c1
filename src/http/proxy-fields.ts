/**
 * The fields by which a proxy says that it passed a request on. Its connection may carry the requests of many users.
 *
 * The search runs for every request on a signed-in connection. It is written to suit V8: names lie in a table by their
 * length, and their first letters are bits. bench/keep-alive.bench.ts shows what a request costs.
 */
import { isEncryptedType } from '../formats/encrypted-message.ts';

/** In lower case, by who sets them. docs/proxies.md has the same names. */
export const proxyFieldNames = [
  // RFC 9110 section 7.6.3, RFC 7239, RFC 8586.
  ...['via', 'forwarded', 'cdn-loop'],
  // Reverse proxies of any kind: nginx, Apache, HAProxy, IIS, Traefik, Ingress controllers.
  ...['x-forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'],
  ...['x-forwarded-server', 'x-forwarded-by', 'x-forwarded-path', 'x-forwarded-prefix', 'x-forwarded-scheme'],
  ...['x-forwarded-ssl', 'x-forwarded-uri', 'x-original-forwarded-for', 'x-original-url', 'x-original-uri'],
  ...['x-real-ip', 'x-client-ip', 'x-cluster-client-ip', 'client-ip', 'x-nginx-proxy', 'x-varnish'],
  // Envoy, and what is built on it (Istio, Contour, Emissary, Google Cloud's load balancers).
  ...['x-envoy-external-address', 'x-envoy-internal', 'x-envoy-original-path', 'x-envoy-original-host'],
  ...['x-envoy-attempt-count', 'x-envoy-expected-rq-timeout-ms', 'x-envoy-downstream-service-cluster'],
  ...['x-envoy-downstream-service-node', 'x-envoy-decorator-operation', 'x-envoy-peer-metadata'],
  ...['x-envoy-peer-metadata-id', 'x-forwarded-client-cert', 'x-cloud-trace-context'],
  // Cloudflare.
  ...['cf-connecting-ip', 'cf-connecting-ipv6', 'cf-pseudo-ipv4', 'cf-ray', 'cf-visitor', 'cf-ipcountry'],
  ...['cf-worker', 'cf-ew-via'],
  // Azure: Front Door, Application Gateway, App Service with Application Request Routing.
  ...['x-azure-clientip', 'x-azure-socketip', 'x-azure-ref', 'x-azure-requestchain', 'x-azure-fdid'],
  ...['x-fd-healthprobe', 'x-appgw-trace-id', 'x-original-host', 'x-arr-log-id', 'x-arr-ssl', 'disguised-host'],
  ...['x-waws-unencoded-url', 'was-default-hostname', 'x-site-deployment-id'],
  // AWS: load balancers, CloudFront.
  ...['x-amzn-trace-id', 'x-amzn-tls-version', 'x-amzn-tls-cipher-suite', 'x-amzn-mtls-clientcert'],
  ...['x-amzn-mtls-clientcert-leaf', 'x-amzn-oidc-data', 'x-amzn-oidc-identity', 'x-amzn-oidc-accesstoken'],
  ...['x-amz-cf-id', 'cloudfront-viewer-address', 'cloudfront-viewer-country', 'cloudfront-forwarded-proto'],
  // Akamai, Fastly and others.
  ...['true-client-ip', 'akamai-origin-hop', 'x-akamai-edgescape', 'x-akamai-config-log-detail'],
  ...['x-akamai-sr-hop', 'fastly-client-ip', 'fastly-ff', 'fastly-ssl', 'incap-client-ip', 'x-sucuri-clientip'],
  ...['fly-client-ip', 'x-vercel-forwarded-for', 'wl-proxy-client-ip', 'proxy-client-ip', 'x-bluecoat-via'],
] as const;

/** A set of field names that is fast to search: length and first letter rule out nearly all others. */
interface FieldNames {
  /** In lower case, indexed by their length. */
  readonly byLength: readonly (readonly string[])[];
  /** Indexed by length: the bit of each first letter, which is its place in the alphabet. */
  readonly firstLetters: Int32Array;
}

/** The last five bits of a letter are its place in the alphabet, in either case. */
const LETTER_BITS = 31;
/** Makes a letter lower case, where it is one. */
const LOWER_CASE = 0x20;
/** The third character tells more of the names apart than the second, which is often a hyphen. */
const THIRD = 2;

function fieldNames(...names: readonly string[]): FieldNames {
  const lengths = Math.max(...names.map(({ length }) => length)) + 1;
  const byLength = Array.from({ length: lengths }, (_, length) => names.filter((name) => name.length === length));
  const firstLetters = new Int32Array(lengths);
  byLength.forEach((ofLength, length) => {
    firstLetters[length] = ofLength.reduce((bits, name) => bits | (1 << (name.charCodeAt(0) & LETTER_BITS)), 0);
  });
  return { byLength, firstLetters };
}

const CONTENT_TYPE = 'content-type';
const proxyFields = fieldNames(...proxyFieldNames);
const identityFields = fieldNames(...proxyFieldNames, 'authorization', 'expect', CONTENT_TYPE);

/** The index of the first of these fields at or after `start`; -1 if there is none. */
function indexOfField(rawHeaders: readonly string[], { byLength, firstLetters }: FieldNames, start: number): number {
  for (let index = start; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const { length } = name;
    if (length >= firstLetters.length) continue;
    const bit = ((firstLetters[length] ?? 0) >>> (name.charCodeAt(0) & LETTER_BITS)) & 1;
    if (bit !== 0 && isOneOf(name, byLength[length])) return index;
  }
  return -1;
}

function isOneOf(name: string, names: readonly string[] | undefined): boolean {
  if (names === undefined) return false;
  const third = name.charCodeAt(THIRD) | LOWER_CASE;
  for (const wanted of names) {
    if (third === wanted.charCodeAt(THIRD) && name.toLowerCase() === wanted) return true;
  }
  return false;
}

/**
 * Whether a proxy says that it passed the request on. No identity may stay on such a connection (attack A11). A client
 * that sets such a field itself only loses persistence.
 *
 * @param rawHeaders names and values alternating
 */
export function passedThroughProxy(rawHeaders: readonly string[]): boolean {
  return indexOfField(rawHeaders, proxyFields, 0) !== -1;
}

/**
 * Whether a request itself does not say who sends it, so that the identity of its connection counts. It then has
 * neither Authorization nor a field of a proxy. It has no Expect either, because a client that sends Expect waits for a
 * reply, and no Content-Type of an encrypted message, because its body has to be opened first.
 *
 * @param rawHeaders names and values alternating
 */
export function reliesOnConnection(rawHeaders: readonly string[]): boolean {
  for (let index = 0; ; index += 2) {
    index = indexOfField(rawHeaders, identityFields, index);
    if (index === -1) return true;
    if (rawHeaders[index]?.length !== CONTENT_TYPE.length) return false;
    if (rawHeaders[index]?.toLowerCase() !== CONTENT_TYPE || isEncryptedType(rawHeaders[index + 1] ?? '')) return false;
  }
}
