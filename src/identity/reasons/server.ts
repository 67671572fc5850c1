/** What the operator is told of this server itself, and why a request is refused by policy. */
import { anchors } from './anchors.ts';
import { row } from './row.ts';

const once = { said: 'once' } as const;

export const serverReasons = Object.freeze({
  'header-size-small': row({
    fields: { bytes: 'number', least: 'number' },
    ...once,
    anchor: anchors.largeFields,
    cure: () => 'create the server with recommendedServerOptions: createServer(recommendedServerOptions, app)',
    text: ({ bytes, least }) =>
      `its maxHeaderSize is ${bytes} bytes, less than ${least}: a user in many groups has a larger ticket, and gets 431 from Node`,
  }),
  'keep-alive-short': row({
    fields: { milliseconds: 'number', least: 'number' },
    ...once,
    anchor: anchors.notLasting,
    cure: () => 'create the server with recommendedServerOptions: createServer(recommendedServerOptions, app)',
    text: ({ milliseconds, least }) =>
      `its keepAliveTimeout is ${milliseconds} ms, less than ${least}: a sign-in lasts as long as its connection, so that each click signs in again`,
  }),
  'no-logger': row({
    fields: {},
    ...once,
    anchor: anchors.refusedAlways,
    cure: () => 'give option logger, such as logger: console, or logger: false for silence',
    text: () => 'a client was refused, and there is no log that says why',
  }),

  'scheme-not-offered': row({
    fields: { used: 'name', offered: 'names' },
    anchor: anchors.otherPrograms,
    cure: ({ offered }) => `have the client use what is offered (${offered})`,
    text: ({ used }) => `it used ${used}`,
  }),
  'scheme-not-over-http-2': row({
    fields: { used: 'name', offered: 'names' },
    anchor: anchors.otherPrograms,
    cure: () => 'serve HTTP/1.1',
    text: ({ used, offered }) =>
      `the client used ${used} over HTTP/2, where only Digest can be offered (offered: ${offered})`,
  }),
  'scheme-not-without-tls': row({
    fields: { used: 'name', offered: 'names' },
    anchor: anchors.otherPrograms,
    cure: () => 'serve HTTPS, or see allowCredSspWithoutTls',
    text: ({ used, offered }) => `the client used ${used} on a connection without TLS (offered: ${offered})`,
  }),
  'token-too-large': row({
    fields: { bytes: 'number', limit: 'number' },
    anchor: anchors.largeFields,
    cure: () => 'set limits.tokenBytes higher, or have the user in fewer groups',
    text: ({ bytes, limit }) => `the token has ${bytes} bytes, more than limits.tokenBytes (${limit})`,
  }),

  'account-source-silent': row({
    fields: { source: 'path', milliseconds: 'number' },
    anchor: anchors.slow,
    cure: () =>
      'look at what the account source asks (directory, database), and give its calls a time limit of their own',
    text: ({ source, milliseconds }) =>
      `${source} has not answered within limits.handshakeMilliseconds (${milliseconds})`,
  }),
  'package-silent': row({
    fields: { provider: 'path', milliseconds: 'number' },
    anchor: anchors.slow,
    cure: () => 'look at what the system asks (domain controller, files of Kerberos)',
    text: ({ provider, milliseconds }) =>
      `${provider} has not answered within limits.handshakeMilliseconds (${milliseconds})`,
  }),

  'groups-without-names': row({
    fields: { wanted: 'names' },
    anchor: anchors.groups,
    cure: () => 'ask for the SID of the group, which Get-ADGroup (Windows) or wbinfo (Samba) tells',
    text: ({ wanted }) => `option authorize wants ${wanted}, and groups of the user are known by their SIDs alone`,
  }),
  'no-groups': row({
    fields: { wanted: 'names' },
    anchor: anchors.groups,
    cure: () =>
      'see that the groups of the user get here: by the PAC of a ticket of Active Directory, or by the account source',
    text: ({ wanted }) => `option authorize wants ${wanted}, and no group of the user is known`,
  }),
  'not-in-group': row({
    fields: { wanted: 'names' },
    anchor: anchors.forbidden,
    text: ({ wanted }) => `option authorize wants ${wanted}, and the user is in none of them`,
  }),

  'no-such-account': row({
    fields: {},
    anchor: anchors.prompt,
    text: () => 'no such account',
  }),
  'wrong-password': row({
    fields: {},
    anchor: anchors.prompt,
    text: () => 'wrong password',
  }),
  'account-without-secret': row({
    fields: {},
    anchor: anchors.prompt,
    text: () => 'the account is disabled, locked, or has no password for this scheme',
  }),
});
