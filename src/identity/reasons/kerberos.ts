/** Why a ticket is refused for other reasons than its key: clocks, replays, services, the library, the PAC. */
import { anchors } from './anchors.ts';
import { here, onWindows, row, windowsPages } from './row.ts';

const ownClock = here('date -u');
const windowsClock = onWindows('w32tm /query /status', windowsPages.w32tm);
const lookAtClocks = `set both by NTP (\`${ownClock.command}\` says what this server has, \`${windowsClock.command}\` on Windows whether it has a source)`;
const clockCommands = () => [ownClock, windowsClock];

export const kerberosReasons = Object.freeze({
  'clock-behind': row({
    fields: { seconds: 'number' },
    anchor: anchors.oneMachine,
    cure: () => lookAtClocks,
    text: ({ seconds }) => `the client's clock is ${seconds} seconds behind this server's`,
    commands: clockCommands,
  }),
  'clock-ahead': row({
    fields: { seconds: 'number' },
    anchor: anchors.oneMachine,
    cure: () => lookAtClocks,
    text: ({ seconds }) => `the client's clock is ${seconds} seconds ahead of this server's`,
    commands: clockCommands,
  }),
  'clocks-differ': row({
    fields: { detail: 'detail' },
    anchor: anchors.oneMachine,
    cure: () => lookAtClocks,
    text: ({ detail }) => `the clocks of client and server differ by more than libkrb5 allows (${detail})`,
    commands: clockCommands,
  }),

  /** Clients do not send tickets that they know to have expired, so that client and KDC agree against this server. */
  'server-clock-ahead': row({
    fields: { service: 'name', span: 'detail', end: 'detail', now: 'detail', made: 'detail' },
    anchor: anchors.refusedAlways,
    cure: ({ span }) =>
      `set the clock of this server, which is ${span} ahead of the client's, by NTP (\`${ownClock.command}\` says what it has)`,
    text: ({ service, end, now, made }) =>
      `the client's ticket for ${service} ended at ${end} and this server has ${now}, but the client made its token at ` +
      `${made} by its own clock`,
    commands: () => [ownClock],
  }),
  'server-clock-behind': row({
    fields: { service: 'name', span: 'detail', start: 'detail', now: 'detail', made: 'detail' },
    anchor: anchors.refusedAlways,
    cure: ({ span }) =>
      `set the clock of this server, which is ${span} behind the client's, by NTP (\`${ownClock.command}\` says what it has)`,
    text: ({ service, start, now, made }) =>
      `the client's ticket for ${service} begins at ${start} and this server has ${now}, but the client made its token ` +
      `at ${made} by its own clock`,
    commands: () => [ownClock],
  }),
  'ticket-expired': row({
    fields: { service: 'name' },
    anchor: anchors.oneMachine,
    cure: () =>
      `compare the clock of this server with the client's first (\`${ownClock.command}\`, \`${windowsClock.command}\` on ` +
      'Windows): clients do not send tickets that have expired by their own',
    text: ({ service }) => `the client's ticket for ${service} has expired`,
    commands: clockCommands,
  }),
  'ticket-not-yet-valid': row({
    fields: { service: 'name' },
    anchor: anchors.oneMachine,
    cure: () =>
      `compare the clocks of client, server and KDC (\`${ownClock.command}\`, \`${windowsClock.command}\` on Windows)`,
    text: ({ service }) => `the client's ticket for ${service} is not yet valid`,
    commands: clockCommands,
  }),

  replay: row({
    fields: { service: 'name' },
    anchor: anchors.proxy,
    text: ({ service }) =>
      `the client's authenticator for ${service} was used before: this is a replay, or a request was verified twice`,
  }),
  'authenticator-too-old': row({
    fields: { service: 'name' },
    anchor: anchors.restart,
    cure: () => 'if this continues, set the clocks of client and server by NTP',
    text: ({ service }) =>
      `the client's authenticator for ${service} is older than what this server remembers (the server was started ` +
      'after it, or its clock was set back), so a replay could not be recognized',
  }),
  'replay-cache-full': row({
    fields: { seconds: 'number' },
    anchor: anchors.refusedAlways,
    text: ({ seconds }) =>
      `the replay cache is full: there were too many tickets within ${seconds} seconds, so a replay could not be ` +
      'recognized',
  }),

  'service-not-accepted': row({
    fields: { service: 'name', services: 'names' },
    anchor: anchors.byName,
    cure: () => 'name the service in servicePrincipalNames, or correct the host name that clients use for this server',
    text: ({ service, services }) => `the ticket is for ${service}, but this server accepts ${services}`,
  }),
  'target-not-accepted': row({
    fields: { target: 'name', services: 'names' },
    anchor: anchors.byName,
    cure: () => 'name the service in servicePrincipalNames, or correct the host name that clients use for this server',
    text: ({ target, services }) => `the client means ${target}, but this server accepts ${services}`,
  }),

  'bindings-missing': row({
    fields: { service: 'name' },
    anchor: anchors.otherPrograms,
    cure: () =>
      "have the client send channel bindings, or set channelBinding: 'whenSupported', which lets programs in that know none",
    text: ({ service }) => `the client of ${service} sent no channel bindings`,
  }),
  'bindings-withheld': row({
    fields: { service: 'name' },
    anchor: anchors.proxy,
    cure: () => "if a proxy of yours terminates TLS, set channelBinding: 'never'",
    text: ({ service }) =>
      `the client of ${service} sent no channel bindings, although it supports them: a proxy terminates TLS, or the ` +
      'token was relayed',
  }),

  'replay-cache-away': row({
    fields: { service: 'name', detail: 'detail' },
    anchor: anchors.container,
    cure: () =>
      'let this process write to its replay cache again, or name another one: the folder of KRB5RCACHEDIR, or option replayCache',
    text: ({ service, detail }) =>
      `a ticket for ${service} could not be looked up in the replay cache, so that nobody can sign in: ${detail}`,
  }),
  'library-refused': row({
    fields: { service: 'name', detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ service, detail }) => `the ticket for ${service} was refused: ${detail}`,
  }),
  'configuration-unreadable': row({
    fields: { fault: 'path', detail: 'detail' },
    anchor: anchors.refusedAlways,
    cure: ({ fault }) => `correct ${fault}`,
    text: ({ detail }) => `the server's Kerberos library cannot read its configuration (${detail})`,
  }),
  /** The old keys stay in use until a restart: nobody notices before. */
  'keytab-unreadable-later': row({
    fields: { keytab: 'path', detail: 'detail', access: 'detail?' },
    said: 'once',
    anchor: anchors.restart,
    cure: ({ keytab }, argument) =>
      `put a keytab back at ${keytab} that this process can read (\`${here(`klist -ke ${argument.keytab}`).command}\` ` +
      'lists it)',
    text: ({ detail, access }) =>
      `it has changed and cannot be loaded (${detail}${access === '' ? '' : `: ${access}`}), so the old keys stay in ` +
      'use; after a restart nobody could sign in',
    commands: ({ keytab }) => [here(`klist -ke ${keytab}`)],
  }),
  'library-busy': row({
    fields: { waiting: 'number' },
    anchor: anchors.slow,
    text: ({ waiting }) => `${waiting} tickets are already waiting for the GSSAPI library, which does not answer`,
  }),
  'library-hides-key': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => `Heimdal does not give the key of the context`,
  }),

  'kerberos-token-size': row({
    fields: { bytes: 'number', limit: 'number' },
    anchor: anchors.refusedAlways,
    text: ({ bytes, limit }) => `the token has ${bytes} bytes; 1 to ${limit} are accepted`,
  }),
  'kerberos-token-invalid': row({
    fields: { detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ detail }) => `not a Kerberos AP-REQ: ${detail}`,
  }),
  'kerberos-requirement': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => 'a requirement that this Kerberos package does not support',
  }),
  'user-to-user': row({
    fields: {},
    anchor: anchors.otherPrograms,
    text: () => 'user-to-user authentication is not supported',
  }),
  'kerberos-token-late': row({
    fields: {},
    anchor: anchors.proxy,
    text: () => 'a token after the Kerberos context was established',
  }),

  'client-name-not-utf8': row({
    fields: {},
    anchor: anchors.otherUser,
    cure: () => 'rename the account at the KDC',
    text: () => 'the name of the client is not UTF-8, so it could be taken for that of another',
  }),
  'client-name-unsafe': row({
    fields: {},
    anchor: anchors.otherUser,
    text: () => 'the name of the client holds control characters',
  }),
  'client-has-no-name': row({
    fields: {},
    anchor: anchors.otherUser,
    text: () => 'the client has no principal name',
  }),
  'library-hides-service': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => 'the library does not tell whose key decrypted the ticket',
  }),
  'pac-unverified': row({
    fields: { client: 'name' },
    anchor: anchors.refusedAlways,
    text: ({ client }) => `the PAC in the ticket of ${client} does not verify with the key of the service`,
  }),
  'pac-missing': row({
    fields: { client: 'name' },
    anchor: anchors.groups,
    cure: () => 'leave requirePac out, or have the KDC issue a PAC (NO_AUTH_DATA_REQUIRED is not set on the account)',
    text: ({ client }) => `the ticket of ${client} has no PAC with logon information, and one is required`,
  }),
  'pac-invalid': row({
    fields: { client: 'name', detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ client, detail }) => `the PAC of ${client} is malformed: ${detail}`,
  }),
});
