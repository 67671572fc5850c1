/**
 * Why a client that was asked for credentials may have sent none. The server sees only that nothing came, so these are
 * guesses: a line has those that fit its request.
 */
import { anchors } from './anchors.ts';
import { here, onWindows, row, windowsPages } from './row.ts';

/** Said with the first client of a kind and a host, and then once an hour. */
const often = { level: 'info', said: 'rate-limited' } as const;

const tickets = here('klist');
const ticketsOfWindows = onWindows('klist', windowsPages.klist);

export const unansweredReasons = Object.freeze({
  preflight: row({
    fields: { origin: 'name' },
    level: 'warn',
    said: 'once',
    anchor: anchors.preflight,
    cure: () => 'answer preflights before sspiAuth and give it skip: isPreflight',
    text: ({ origin }) => `a CORS preflight from ${origin} got 401, and browsers send no credentials with one`,
  }),
  'http-2': row({
    fields: { offered: 'names' },
    ...often,
    anchor: anchors.prompt,
    cure: () => 'serve HTTP/1.1',
    text: ({ offered }) => `over HTTP/2 there is no Negotiate and no NTLM (offered: ${offered})`,
  }),
  'health-check': row({
    fields: {},
    ...often,
    anchor: anchors.refusedAlways,
    cure: () => 'let the path of health checks in by option skip',
    text: () => 'a health check has no credentials',
  }),
  'fetched-without-credentials': row({
    fields: {},
    ...often,
    anchor: anchors.refusedAlways,
    cure: () => 'give fetch() credentials: \'include\', and a link or script crossorigin="use-credentials"',
    text: () => 'a page has its browser fetch this without credentials',
  }),
  'host-is-address': row({
    fields: { host: 'name' },
    ...often,
    anchor: anchors.byName,
    cure: () => 'open the site by its name',
    text: ({ host }) => `there are no tickets for an address such as ${host}`,
  }),
  'host-not-in-keytab': row({
    fields: { host: 'name', hosts: 'names' },
    ...often,
    anchor: anchors.byAddress,
    cure: ({ hosts }) => `open the site by a name of the keytab (${hosts})`,
    text: ({ host }) => `HTTP/${host} may be registered nowhere, and the keytab has no key for it`,
  }),
  'through-proxy': row({
    fields: {},
    ...often,
    anchor: anchors.proxy,
    cure: () => 'see that the proxy passes on WWW-Authenticate and Authorization',
    text: () => 'the request came through a proxy',
  }),
  'chromium-not-told': row({
    fields: { host: 'name' },
    ...often,
    anchor: anchors.chrome,
    cure: ({ host }) => `put ${host} into AuthServerAllowlist of Chrome or Edge, or into the intranet zone of Windows`,
    text: () => 'this browser signs in by itself only where it is told to',
  }),
  'firefox-not-told': row({
    fields: { host: 'name' },
    ...often,
    anchor: anchors.firefox,
    cure: ({ host }) => `put ${host} into network.negotiate-auth.trusted-uris of Firefox`,
    text: () => 'this browser signs in by itself only where it is told to',
  }),
  'no-ticket': row({
    fields: {},
    ...often,
    anchor: anchors.prompt,
    cure: () => `see by \`${tickets.command}\` at the client that its user has a ticket`,
    text: () => 'without one (no kinit, not signed in to the domain, expired) nothing is sent',
    commands: () => [tickets, ticketsOfWindows],
  }),
  'curl-without-option': row({
    fields: { ways: 'detail' },
    ...often,
    anchor: anchors.otherPrograms,
    cure: ({ ways }) => `call curl with ${ways}`,
    text: () => 'by itself it sends no credentials',
  }),
  'no-credentials-given': row({
    fields: {},
    ...often,
    anchor: anchors.prompt,
    text: () => 'the client was given no user name and password, or its user has not answered the prompt',
  }),
});
