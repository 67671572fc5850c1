/**
 * What comes of each cell: right, unless it stands here. Every row is held against what happens by
 * test/live/clients/, both ways, and docs/clients.md says it to users.
 */
import type { Cell } from './cells.ts';
import type { Offer } from './offers.ts';
import type { Situation } from './situations.ts';

/** Cells that do not come right. */
export interface Exception {
  /** Names of clients. */
  readonly clients: readonly string[];
  /** Left out: all. */
  readonly offers?: readonly Offer[];
  /** Left out: all in which the client should come in. */
  readonly situations?: readonly Situation[];
  /** Markdown, whole sentences. */
  readonly why: string;
}

/** A fault of the client. */
export interface Fault extends Exception {
  /** Whether Apache httpd is tried as well: the client fails there in the same cells. */
  readonly apache?: true;
}

const onlyMd5: readonly Offer[] = ['digest-sha-256'];
const sha256First: readonly Offer[] = ['digest', 'digest-sha-256', 'everything', 'everything-digest-first'];

/** Faults of clients. */
export const faults: readonly Fault[] = [
  {
    clients: ['wget'],
    offers: ['ntlm', 'everything', 'everything-digest-first'],
    why: 'It chooses NTLM wherever that is offered, and its NTLM is NTLMv1, which is refused.',
  },
  {
    clients: ['wget2'],
    offers: ['everything', 'everything-digest-first'],
    why: 'It gives up where Negotiate and NTLM are offered beside Digest.',
  },
  { clients: ['LWP'], offers: ['ntlm'], why: 'Its NTLM (Authen::NTLM) is NTLMv1, which is refused.' },
  {
    clients: ['LWP, Authen::NTLM::ntlmv2(1)'],
    why: 'The domain in its message is not UTF-16, although that was agreed, and its time stamp is wrong.',
  },
  {
    clients: ['Subversion (serf)'],
    offers: ['digest-sha-256', 'digest-md5-first'],
    why: 'It knows MD5 alone, and looks at the last challenge of Digest alone: MD5 has to be the last one.',
  },
  {
    clients: ['w3m', 'lftp', 'urllib, HTTPDigestAuthHandler'],
    offers: sha256First,
    why: 'It knows MD5 alone, and looks at the first challenge alone: MD5 has to be the first one, and Digest the first scheme.',
  },
  {
    clients: ['net-http-digest_auth (Ruby)'],
    offers: sha256First,
    why: 'It knows MD5 alone, and takes all challenges for one: MD5 has to be the first one, and Digest the first scheme.',
  },
  {
    clients: [
      ...['wget', 'LWP', 'libsoup 3', 'Qt 5, QNetworkAccessManager', 'httpclient (Ruby)'],
      ...['@mhoc/axios-digest-auth', 'digest-fetch', 'urllib (npm)'],
    ],
    offers: onlyMd5,
    why: 'It knows MD5 alone.',
  },
  {
    clients: ['HTTPie', 'digest-fetch'],
    offers: ['everything'],
    why: 'It looks at the first `WWW-Authenticate` field alone: Digest has to be the first of the schemes.',
  },
  {
    clients: ['httpx, DigestAuth', 'w3m', 'digest-fetch'],
    offers: ['digest', 'digest-md5'],
    situations: ['redirect'],
    apache: true,
    why: 'After a redirect it sends the credentials of the old target again, which is answered with 400 (RFC 7616 section 3.4.6).',
  },
  {
    clients: ['@mhoc/axios-digest-auth'],
    offers: ['digest', 'digest-md5'],
    situations: ['redirect', 'several'],
    why: 'Its credentials leave out the query of a target, and after a redirect they are those of the old one: both are answered with 400 (RFC 7616 section 3.4.6). Apache httpd refuses it whatever it asks for.',
  },
  {
    clients: ['axios-ntlm', 'httpntlm'],
    offers: ['ntlm'],
    situations: ['redirect'],
    why: 'It follows a redirect on another connection, and sends its last message of NTLM there a second time.',
  },
  {
    clients: ['curl -T with chunked coding'],
    offers: ['ntlm', 'digest', 'digest-md5'],
    apache: true,
    why: 'Its first request promises a chunked body and has none, so that the second one is read as that body, and answered with 400. Give the length, or use Negotiate with Kerberos, which signs in with the first request.',
  },
  {
    clients: ['requests-ntlm with a file as body'],
    why: 'It has read the file to its end with the first request, and promises it again with the last: the server waits for a body that never comes. Give bytes.',
  },
  {
    clients: ['libsoup 3'],
    situations: ['post-200-kb', 'post-5-mib'],
    apache: true,
    why: 'It sends the body of a POST once: the request that signs in comes without.',
  },
  {
    clients: ['libsoup 3'],
    offers: ['ntlm'],
    situations: ['several'],
    why: 'It sends the body of a POST once, and with NTLM it signs in again for each connection: a POST that does so comes without.',
  },
  {
    clients: ['Qt 5, QNetworkAccessManager'],
    offers: ['kerberos'],
    apache: true,
    why: 'Its Negotiate sends no token on Linux.',
  },
  { clients: ['Java, java.net.http.HttpClient'], why: 'It knows Basic alone.' },
  {
    clients: [
      ...['curl', 'Subversion (serf)', 'requests-kerberos', 'Qt 5, QNetworkAccessManager', 'libsoup 3'],
      ...['PHP, curl extension', 'gokrb5'],
    ],
    offers: ['scheme-kerberos'],
    why: 'It knows Kerberos in the scheme Negotiate alone.',
  },
  {
    clients: ['Apache HttpClient 4', 'Apache HttpClient 5'],
    offers: ['scheme-kerberos'],
    why: 'It answers the scheme Kerberos with `Authorization: Negotiate`.',
  },
];

/** What this library still does wrong. The cells run, and nothing is asserted of them. */
export const notYet: readonly Exception[] = [];

/** Cells that come right, but not each time. They have three tries. */
export const races: readonly Exception[] = [
  {
    clients: ['axios-ntlm', 'httpntlm'],
    situations: ['post-5-mib'],
    why: "Node's client may see the challenge before it notes that its own body is written. Its next message then goes over a new connection, where the handshake is not known.",
  },
  {
    clients: ['gokrb5'],
    offers: ['kerberos'],
    situations: ['post-5-mib'],
    why: 'It keeps what it has sent of the body to send it again, and does so while the first request is still being written: the second one then gets more than its length.',
  },
];

/** Whether an exception is about a cell. */
export function covers({ clients, offers, situations }: Exception, { client, offer, situation }: Cell): boolean {
  return (
    clients.includes(client.name) &&
    (offers === undefined || offers.includes(offer)) &&
    (situations === undefined ? situation !== 'wrong' : situations.includes(situation))
  );
}

/** Why a cell does not come right by its client's fault; undefined where it comes right. */
export const faultOf = (cell: Cell): Fault | undefined => faults.find((fault) => covers(fault, cell));
/** Why it is not known what comes of it. */
export const notYetOf = (cell: Cell): Exception | undefined => notYet.find((exception) => covers(exception, cell));
/** Why it comes right only nearly each time. */
export const raceOf = (cell: Cell): Exception | undefined => races.find((exception) => covers(exception, cell));
