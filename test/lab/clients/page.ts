/** docs/clients.md, made from the clients and from what comes of their cells. */
import { cellsOf } from './cells.ts';
import type { Cell } from './cells.ts';
import type { RealClient } from './client.ts';
import { realClients } from './clients.ts';
import { faultOf, faults, notYetOf, races } from './expectations.ts';
import type { Offer } from './offers.ts';
import { situationNames, situations } from './situations.ts';

/** Where the page lies. */
export const pagePath = new URL('../../../docs/clients.md', import.meta.url);

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** What is said of a cell that does not come right: the number of its fault below. */
function flaw(cell: Cell): string | undefined {
  const fault = faultOf(cell);
  if (fault) return `(${faults.indexOf(fault) + 1})`;
  return notYetOf(cell) ? '(not yet)' : undefined;
}

/** All situations of a client with one offer, in a few words. */
function summary(client: RealClient, offer: Offer): string {
  const cells = cellsOf(client).filter((cell) => cell.offer === offer && situations[cell.situation].admitted);
  if (cells.length === 0) return '';
  const flaws = new Map<string, string[]>();
  for (const cell of cells) {
    const text = flaw(cell);
    if (text !== undefined) flaws.set(text, [...(flaws.get(text) ?? []), situations[cell.situation].title]);
  }
  const words = [...flaws].map(([text, titles]) => `${titles.join(', ')} ${text}`).join('; ');
  const flawed = [...flaws.values()].flat().length;
  if (flawed === 0) return 'yes';
  if (flawed < cells.length) return `all but ${words}`;
  return flaws.size === 1 ? `no ${[...flaws.keys()].join()}` : `no: ${words}`;
}

/** Whether a client comes in at all. */
function comesIn(client: RealClient, offer: Offer): string {
  const cell = cellsOf(client).find((one) => one.offer === offer && one.situation === 'get');
  if (cell === undefined) return '';
  const text = flaw(cell);
  return text === undefined ? 'yes' : `no ${text}`;
}

/** Names of clients that know Digest and are shut out by an offer. */
function shutOut(offer: Offer): string {
  const isOut = (client: RealClient, by: Offer): boolean =>
    cellsOf(client).some((cell) => cell.offer === by && cell.situation === 'get' && faultOf(cell) !== undefined);
  const out = realClients.filter((client) => isOut(client, offer) && !isOut(client, 'digest-md5'));
  return out.map((client) => client.name).join('; ');
}

/** The page, as Markdown that Prettier has not seen yet. */
export function clientsPage(): string {
  const main: readonly Offer[] = ['ntlm', 'kerberos', 'negotiate-ntlm', 'digest', 'digest-md5'];
  const orders: readonly Offer[] = ['digest', 'digest-md5-first', 'digest-md5', 'digest-sha-256'];
  const beside: readonly Offer[] = ['everything', 'everything-digest-first', 'scheme-kerberos'];
  const digest = realClients.filter(
    ({ schemes, situations: own }) => schemes.includes('digest') && (own === undefined || own.includes('get')),
  );
  const general = realClients.filter((client) => beside.some((offer) => comesIn(client, offer) !== ''));
  const titles = situationNames.filter((one) => situations[one].admitted).map((one) => situations[one].title);
  return `# Clients

Which clients sign in, and what each of them needs. The browsers have [a page of their own](browsers.md).

Every word of the tables is run by \`npm run test:full\`, with the clients of Debian 12 and npm, against servers with Express and with Fastify; a part of them by \`npm test\`. Where a client fails by a fault of its own, the number leads to the reason below; where it could be tried, Apache httpd fails with it in the same way. The page is made by \`npm run docs:clients\`.

## By scheme

Each was put through ${titles.length} situations: ${titles.join(', ')}. A POST is the first request of a new client there, so that its body meets the 401. With a wrong password, or without a ticket, none comes in. An empty cell: not tried, as a rule because the client does not know the scheme.

${table(
  ['client', 'version', 'NTLM', 'Negotiate with Kerberos', 'Negotiate with NTLM', 'Digest', 'Digest, MD5 alone'],
  realClients.map((client) => [client.name, client.version, ...main.map((offer) => summary(client, offer))]),
)}

## Digest: which algorithms, in which order

By default the server offers SHA-256 and then MD5. Many clients know MD5 alone; some of them answer the first challenge, some the last. No order serves all:

- SHA-256 first, the default, shuts out: ${shutOut('digest')}.
- MD5 first shuts out: ${shutOut('digest-md5-first')}.
- \`digest: { algorithms: ['MD5'] }\` serves all of them. MD5 is the weaker one: offer it alone on TLS only, and where such a client has to come in.
- \`digest: { algorithms: ['SHA-256'] }\` keeps MD5 out, and with it all that know nothing else.

${table(
  ['client', "default `['SHA-256', 'MD5']`", "`['MD5', 'SHA-256']`", "`['MD5']`", "`['SHA-256']`"],
  digest.map((client) => [client.name, ...orders.map((offer) => comesIn(client, offer))]),
)}

## Beside other schemes

A server with a keytab and with accounts offers Negotiate, NTLM and Digest, in this order. A client that knows one of them should choose it; some look at the first field alone, or choose one that they cannot do. \`schemes: ['Digest', 'Negotiate', 'NTLM']\` puts Digest first; to leave NTLM out helps clients that choose it wrongly. The scheme Kerberos is known to few.

${table(
  ['client', 'default', "`schemes: ['Digest', 'Negotiate', 'NTLM']`", "`schemes: ['Kerberos']`"],
  general.map((client) => [client.name, ...beside.map((offer) => comesIn(client, offer))]),
)}

## Faults of clients

${faults.map(({ clients, why }, index) => `${index + 1}. ${clients.join('; ')}: ${why}`).join('\n')}

By chance alone, and seldom:

${races.map(({ clients, why }) => `- ${clients.join('; ')}, POST of 5 MiB: ${why}`).join('\n')}

## What clients need

${realClients
  .filter(({ needs }) => needs !== undefined)
  .map((client) => `- **${client.name}**: ${client.needs ?? ''}`)
  .join('\n')}
`;
}
