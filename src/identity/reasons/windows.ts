/** Why Windows' own packages refuse a client, as far as its token and the status tell. */
import { anchors } from './anchors.ts';
import { onWindows, row, windowsPages } from './row.ts';

const otherChannel =
  'the client bound its sign-in to another TLS certificate than this server has: a proxy or a virus scanner between ' +
  'them ends the TLS connection, or the sign-in was relayed from another server';
const noChannel =
  'the program of the client sends no channel bindings although its Windows knows them, as curl.exe --negotiate does up ' +
  'to version 8.21, or the sign-in was relayed from a connection without TLS';
const withoutBindings = (): string => "if that is how it has to be, set channelBinding: 'never'";

const clock = onWindows('w32tm /query /status', windowsPages.w32tm);
const purge = onWindows('klist purge', windowsPages.klist);
const secureChannel = onWindows('nltest /sc_verify:DOMAIN', windowsPages.nltest);
const whose = (spn: string) => onWindows(`setspn -Q ${spn}`, windowsPages.setspn);

/** `key` is the type of encryption and the version. */
const ticket = { service: 'name', key: 'detail' } as const;
const ticketText = ({ service, key }: { readonly service: string; readonly key: string }): string =>
  `the client's ticket is for ${service} (${key})`;

export const windowsReasons = Object.freeze({
  'windows-bindings-mismatch': row({
    fields: {},
    anchor: anchors.proxy,
    cure: withoutBindings,
    text: () => otherChannel,
  }),
  'windows-bindings-missing': row({
    fields: {},
    anchor: anchors.otherPrograms,
    cure: withoutBindings,
    text: () => noChannel,
  }),
  'windows-bindings': row({
    fields: {},
    anchor: anchors.proxy,
    cure: withoutBindings,
    text: () => `either ${otherChannel}; or ${noChannel}`,
  }),
  'windows-clocks': row({
    fields: ticket,
    anchor: anchors.oneMachine,
    cure: () => `compare the clocks of client and server, \`${clock.command}\` on both`,
    text: (shown) => `${ticketText(shown)}; the clocks of client and server are too far apart`,
    commands: () => [clock],
  }),
  'windows-ticket-expired': row({
    fields: ticket,
    anchor: anchors.oneMachine,
    cure: () => `compare the clocks of client and server, \`${clock.command}\` on both, this server's first`,
    text: (shown) => `${ticketText(shown)}, and has expired`,
    commands: () => [clock],
  }),
  'windows-ticket-no-controller': row({
    fields: ticket,
    anchor: anchors.refusedAlways,
    cure: () => `run \`${secureChannel.command}\` on this server`,
    text: (shown) => `${ticketText(shown)}; no domain controller answered`,
    commands: () => [secureChannel],
  }),
  'windows-ticket-key': row({
    fields: { ...ticket, spn: 'name', account: 'detail?' },
    anchor: anchors.passwordChange,
    cure: (_, { spn }) =>
      `give the name to the account of this process and to no other, \`${whose(spn).command}\` tells whose it is; if ` +
      `it is there already, its password was changed: restart the service, and run \`${purge.command}\` on the client`,
    text: (shown) =>
      `${ticketText(shown)}, and ${shown.account === '' ? 'the account of this process' : `this process runs as ${shown.account}`}, whose key has to open it`,
    commands: ({ spn }) => [whose(spn), purge],
  }),
  'windows-not-a-token': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => 'the token is neither an NTLM message nor a Kerberos ticket',
  }),
  'windows-logon-denied': row({
    fields: {},
    anchor: anchors.prompt,
    cure: () => "look at event 4625 of this server's security log, which says what was wrong",
    text: () => 'wrong password, or the account may not sign in here',
  }),
  'windows-first-message': row({
    fields: {},
    anchor: anchors.proxy,
    cure: () => 'have each client keep a connection of its own to this server, through every proxy',
    text: () =>
      'the message is malformed, or the last one of a handshake that did not begin on this connection: a proxy opens a connection for each request',
  }),
  'windows-next-message': row({
    fields: {},
    anchor: anchors.proxy,
    text: () => 'the message is malformed, or is not the answer to the challenge of this connection',
  }),
  'windows-ntlm-no-controller': row({
    fields: {},
    anchor: anchors.refusedAlways,
    cure: () => `run \`${secureChannel.command}\` on this server, and see that the client's domain is trusted`,
    text: () => 'no domain controller verified the password',
    commands: () => [secureChannel],
  }),
  'windows-ntlm-restricted': row({
    fields: {},
    anchor: anchors.ntlm,
    cure: () => 'find out why the client has no ticket for this name',
    text: () => 'a policy "Network security: Restrict NTLM" forbids it here or on the domain controller',
  }),
  'windows-package-left-out': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => 'a package that authData.packages leaves out has verified the client',
  }),
  'windows-needs-validation': row({
    fields: {},
    anchor: anchors.serverError,
    text: () =>
      'ASC_REQ_MUTUAL_AUTH needs authData.manualCredentialValidation: Windows does not verify certificates of clients',
  }),
  'windows-schannel-events': row({
    fields: { status: 'name' },
    anchor: anchors.refusedAlways,
    cure: () => 'look at the events of Schannel in the log System of Windows',
    text: ({ status }) => `they say why it refused (${status})`,
  }),
});
