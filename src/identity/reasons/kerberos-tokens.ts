/** Why a token is refused whose ticket was opened by this library itself, and why none can be taken. */
import { anchors } from './anchors.ts';
import { here, row } from './row.ts';

const service = { service: 'name' } as const;

export const kerberosTokenReasons = Object.freeze({
  'ticket-malformed': row({
    fields: { ...service, detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ service, detail }) => `the ticket for ${service} is malformed: ${detail}`,
  }),
  'session-key-differs': row({
    fields: service,
    anchor: anchors.refusedAlways,
    text: ({ service }) =>
      `the session key in the ticket for ${service} is not of the encryption type that the client used, or has not its ` +
      'length: the token was altered',
  }),
  'ticket-invalid': row({
    fields: service,
    anchor: anchors.otherPrograms,
    text: ({ service }) =>
      `the client's ticket for ${service} is marked invalid: it was postdated, and never validated`,
  }),
  'client-anonymous': row({
    fields: { client: 'name' },
    anchor: anchors.otherPrograms,
    cure: () => 'have the client get a ticket of its own',
    text: ({ client }) => `${client} has an anonymous ticket (RFC 8062), which is that of no account`,
  }),
  'realms-not-verified': row({
    fields: service,
    anchor: anchors.otherUser,
    cure: () =>
      'have the KDC verify the realms in between (TRANSITED-POLICY-CHECKED), or let the realms trust each other directly',
    text: ({ service }) =>
      `the client's ticket for ${service} came through other realms, and its KDC has not verified that it trusts them`,
  }),

  'authenticator-not-opened': row({
    fields: service,
    anchor: anchors.refusedAlways,
    text: ({ service }) =>
      `the client's authenticator for ${service} cannot be decrypted with the session key of its ticket: the token was ` +
      'altered, or put together from two',
  }),
  'authenticator-malformed': row({
    fields: { ...service, detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ service, detail }) => `the client's authenticator for ${service} is malformed: ${detail}`,
  }),
  'authenticator-of-another': row({
    fields: service,
    anchor: anchors.refusedAlways,
    text: ({ service }) => `the client's authenticator for ${service} names another client than its ticket`,
  }),
  'subkey-length': row({
    fields: service,
    anchor: anchors.refusedAlways,
    text: ({ service }) => `the client's subkey for ${service} has not the length of its type`,
  }),
  'checksum-invalid': row({
    fields: { ...service, detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ service, detail }) => `the checksum of the client of ${service} ${detail}`,
  }),
  'bindings-differ': row({
    fields: service,
    anchor: anchors.proxy,
    cure: () => "if a proxy of yours terminates TLS, set channelBinding: 'never'",
    text: ({ service }) =>
      `the channel bindings of the client of ${service} are not those of this TLS connection: a proxy terminates TLS, or ` +
      'the token was relayed',
  }),
  'three-legs': row({
    fields: service,
    anchor: anchors.otherPrograms,
    text: ({ service }) => `the client of ${service} wants three legs (GSS_C_DCE_STYLE), which are not supported`,
  }),
  'forwarded-ticket-invalid': row({
    fields: { ...service, detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ service, detail }) => `the ticket that the client of ${service} forwards cannot be read: ${detail}`,
  }),

  /** Keys of a password have no file that could be exported again. */
  'password-does-not-fit': row({
    fields: { ...service, keys: 'detail' },
    anchor: anchors.passwordChange,
    cure: ({ service }) =>
      'correct the password in kerberosKeys, or its account, realm or salt, of which the keys are made too; where that ' +
      `does not help, ${service} is on another account`,
    text: ({ service, keys }) => `the ticket for ${service} cannot be decrypted with the keys ${keys}`,
  }),

  'replay-folder-away': row({
    fields: { folder: 'path', detail: 'detail' },
    anchor: anchors.container,
    cure: ({ folder }) => `make room in the replay folder ${folder}, and let this process write to it again`,
    text: ({ detail }) => `it cannot be used, so that nobody can sign in: ${detail}`,
  }),
  'replay-folder-unmarked': row({
    fields: { folder: 'path' },
    anchor: anchors.container,
    cure: ({ folder }) => `remove the replay folder ${folder}, which is made again`,
    text: () => 'it does not tell since when it remembers',
  }),
  /** A token from before the folder was there could have been accepted before. */
  'replay-folder-newer': row({
    fields: { folder: 'path', since: 'detail' },
    anchor: anchors.restart,
    cure: () =>
      'if this continues, set the clocks of client and server by NTP; if the clock of this server was wrong at that ' +
      'time, remove the folder',
    text: ({ folder, since }) =>
      `the replay folder ${folder} remembers since ${since}, and the token is older, so a replay could not be recognized`,
  }),
  'replay-forgotten': row({
    fields: { place: 'detail' },
    anchor: anchors.oneMachine,
    cure: () => `set the clock of this server by NTP (\`${here('date -u').command}\` says what it has)`,
    text: ({ place }) => `${place} has forgotten the time of this token: was the clock of this server set back?`,
    commands: () => [here('date -u')],
  }),
  'store-newer': row({
    fields: {},
    anchor: anchors.restart,
    cure: () => 'if this continues, set the clocks of client and server by NTP',
    text: () => 'option "store" is newer than the token, so a replay could not be recognized',
  }),
  'store-away': row({
    fields: { detail: 'detail' },
    anchor: anchors.slow,
    cure: () => 'have the store of option "store" answer again',
    text: ({ detail }) => `it ${detail}, so that nobody can sign in`,
  }),
});
