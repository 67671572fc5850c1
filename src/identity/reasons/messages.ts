/** Why a handshake of Negotiate, NTLM or Digest is refused. */
import { anchors } from './anchors.ts';
import { row } from './row.ts';

const firstLegElsewhere =
  'the first leg came over another connection, through a proxy that does not keep connections apart, or too long ago';
const keepApart = (): string => 'have each client keep a connection of its own to this server, through every proxy';

export const messageReasons = Object.freeze({
  /** The client falls back on NTLM because it could get no ticket. */
  'client-has-no-ticket': row({
    fields: { sent: 'names', have: 'names' },
    anchor: anchors.ntlm,
    cure: () =>
      'find out why the client could not get a ticket: the address in the URL is none of a registered name (setspn, an ' +
      'IP address), the client is not in the domain or a trusted one, or no domain controller answers it',
    text: ({ sent, have }) => `the client offers ${sent}; this server has ${have}`,
  }),
  'client-has-no-ticket-for': row({
    fields: { sent: 'names', have: 'names', spn: 'name' },
    anchor: anchors.ntlm,
    cure: ({ spn }) =>
      `find out why the client could not get a ticket for ${spn}: the name is not registered with exactly one account, ` +
      'the client is not in the domain or a trusted one, or no domain controller answers it',
    text: ({ sent, have }) => `the client offers ${sent}; this server has ${have}`,
  }),
  'client-used-address': row({
    fields: { sent: 'names', have: 'names', host: 'name' },
    anchor: anchors.byName,
    cure: ({ host }) => `open the site by its name: ${host} is an address, and there are no tickets for addresses`,
    text: ({ sent, have }) => `the client offers ${sent}; this server has ${have}`,
  }),
  'no-common-mechanism': row({
    fields: { sent: 'names', have: 'names' },
    anchor: anchors.otherPrograms,
    text: ({ sent, have }) => `the client offers ${sent}; this server has ${have}`,
  }),
  'spnego-without-handshake': row({
    fields: {},
    anchor: anchors.proxy,
    cure: keepApart,
    text: () => `a NegTokenResp on a connection without a handshake: ${firstLegElsewhere}`,
  }),
  'mic-missing': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => "mechListMIC is missing; it is required because the mechanism is not the client's first choice",
  }),
  'mic-wrong': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => 'mechListMIC does not verify: the list of mechanisms was changed on its way',
  }),

  'ntlm-without-handshake': row({
    fields: {},
    anchor: anchors.proxy,
    cure: keepApart,
    text: () => `an AUTHENTICATE_MESSAGE on a connection without a handshake: ${firstLegElsewhere}`,
  }),
  'ntlm-message-invalid': row({
    fields: { detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ detail }) => detail,
  }),
  'ntlm-too-old': row({
    fields: {},
    anchor: anchors.otherPrograms,
    cure: () => 'have the client use NTLMv2 (Windows: LmCompatibilityLevel 3 or higher)',
    text: () => 'the client sent no NTLMv2 response; it must not use LM or NTLMv1',
  }),
  'anonymous-logon': row({
    fields: {},
    anchor: anchors.prompt,
    text: () => 'an anonymous logon',
  }),
  'ntlm-no-128-bit': row({
    fields: {},
    anchor: anchors.otherPrograms,
    text: () => 'the client negotiated no 128-bit keys',
  }),
  'ntlm-key-length': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => 'the encrypted session key has the wrong length',
  }),
  'ntlm-clock': row({
    fields: {},
    anchor: anchors.oneMachine,
    cure: () => 'set the clocks of client and server by NTP',
    text: () => "the client's clock differs too much from the server's",
  }),
  'ntlm-mic-wrong': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => 'the MIC does not verify: a message was changed on its way',
  }),
  'ntlm-mic-missing': row({
    fields: {},
    anchor: anchors.otherPrograms,
    cure: () => 'have the client sign its messages, or leave requireMic out',
    text: () => 'the client sent no MIC, and requireMic is set',
  }),
  'ntlm-bindings': row({
    fields: {},
    anchor: anchors.proxy,
    cure: () => "if a proxy of yours terminates TLS, set channelBinding: 'never'",
    text: () =>
      'the channel bindings of the client do not meet the policy: it saw the certificate of another server, or sent none',
  }),
  'ntlm-target-missing': row({
    fields: {},
    anchor: anchors.otherPrograms,
    text: () => 'the client names no service (MsvAvTargetName), and servicePrincipalNames is set',
  }),
  'ntlm-target-foreign': row({
    fields: { target: 'name' },
    anchor: anchors.byName,
    cure: () => 'name the service in servicePrincipalNames, or correct the host name that clients use for this server',
    text: ({ target }) => `the client meant ${target}, which servicePrincipalNames does not name`,
  }),

  'account-source-failed': row({
    fields: { source: 'path', detail: 'detail' },
    anchor: anchors.serverError,
    cure: () => 'see the line of level error, which has what was thrown',
    text: ({ source, detail }) => `${source} failed: ${detail}`,
  }),
  'account-source-refused': row({
    fields: { detail: 'detail' },
    anchor: anchors.prompt,
    text: ({ detail }) => detail,
  }),
  'account-source-away': row({
    fields: { detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ detail }) => detail,
  }),
  'account-invalid': row({
    fields: { detail: 'detail' },
    anchor: anchors.serverError,
    text: ({ detail }) => detail,
  }),

  'digest-malformed': row({
    fields: { detail: 'detail' },
    anchor: anchors.badRequest,
    text: ({ detail }) => detail,
  }),
  'digest-other-query': row({
    fields: { path: 'name' },
    anchor: anchors.badRequest,
    text: ({ path }) => `the client asked for ${path} with another query than that of the request`,
  }),
  'digest-other-path': row({
    fields: { sent: 'name', seen: 'name' },
    anchor: anchors.badRequest,
    cure: () => 'have the proxy pass on the path as the client sent it, which Digest needs',
    text: ({ sent, seen }) =>
      `the client asked for ${sent}, and the request is for ${seen}: a proxy may have rewritten the path`,
  }),
  'digest-not-offered': row({
    fields: {},
    anchor: anchors.otherPrograms,
    text: () => 'the response is not for a challenge of this server',
  }),
  'digest-foreign-nonce': row({
    fields: {},
    anchor: anchors.restart,
    cure: () => 'give all processes one digest.secret, and one "store" (docs/fleets.md)',
    text: () =>
      'the nonce is not of this server: another process made it, or this one before its restart, or the client made it up',
  }),
  'digest-other-process': row({
    fields: { count: 'number' },
    anchor: anchors.prompt,
    cure: () =>
      'give the processes one "store" (docs/fleets.md), or have all requests of a client reach the same process: without ' +
      'a store a nonce is good at the process that issued it alone',
    text: ({ count }) =>
      `${count} nonces in a row were of no use: each was issued by one process and came back to another`,
  }),
  'digest-server-ahead': row({
    fields: { count: 'number' },
    anchor: anchors.prompt,
    cure: () => 'set the clocks of all servers by the same time server',
    text: ({ count }) =>
      `${count} nonces in a row were of no use: each was issued by a server whose clock is ahead of this one`,
  }),
  'digest-nonce-too-old': row({
    fields: { count: 'number' },
    anchor: anchors.prompt,
    cure: () => 'make digest.nonceLifetimeMilliseconds longer',
    text: ({ count }) => `${count} nonces in a row were of no use: each was too old when it came back`,
  }),
  'digest-nonce-used': row({
    fields: { count: 'number' },
    anchor: anchors.prompt,
    text: ({ count }) => `${count} nonces in a row were of no use: each was used before, or is not remembered any more`,
  }),
});
