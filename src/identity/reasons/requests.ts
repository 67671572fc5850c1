/** Why a request is refused by what surrounds the packages: connections, bodies, bindings. */
import { anchors } from './anchors.ts';
import { row } from './row.ts';

const shared = 'a proxy seems to share this connection between clients';
const keepApart = (): string => 'have each client keep a connection of its own to this server, through every proxy';

export const requestReasons = Object.freeze({
  'interrupted-by-first-token': row({
    fields: {},
    anchor: anchors.proxy,
    cure: keepApart,
    text: () => `another handshake began on this connection before this one had ended: ${shared}`,
  }),
  'interrupted-by-no-credentials': row({
    fields: {},
    anchor: anchors.proxy,
    cure: keepApart,
    text: () => `a request without credentials came between the legs of this handshake: ${shared}`,
  }),
  'interrupted-by-other-scheme': row({
    fields: {},
    anchor: anchors.proxy,
    cure: keepApart,
    text: () => `credentials of another scheme came between the legs of this handshake: ${shared}`,
  }),
  'interrupted-by-refusal': row({
    fields: {},
    anchor: anchors.proxy,
    cure: keepApart,
    text: () => `the handshake of this connection had ended with the token of another request: ${shared}`,
  }),
  'interrupted-by-deadline': row({
    fields: {},
    anchor: anchors.slow,
    text: () => 'the handshake of this connection was abandoned: it took longer than limits.handshakeMilliseconds',
  }),
  'interrupted-by-eviction': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => 'the handshake of this connection was abandoned: there were more than limits.pendingHandshakes',
  }),
  'took-place-of-another': row({
    fields: {},
    anchor: anchors.proxy,
    text: () =>
      `this handshake took the place of one that was pending on the same connection: where the client is right, ${shared}`,
  }),
  'client-silent': row({
    fields: { milliseconds: 'number' },
    anchor: anchors.slow,
    cure: () => 'set limits.handshakeMilliseconds higher where clients need longer, as over a slow line',
    text: ({ milliseconds }) =>
      `the client has not sent the next token of its handshake within ${milliseconds} ms: it is slow, or has gone away`,
  }),
  'authorization-repeated': row({
    fields: {},
    anchor: anchors.badRequest,
    cure: () => 'have the client, or the proxy that adds a field of its own, send one Authorization field',
    text: () => 'the request has more than one Authorization field',
  }),
  'handshake-body-too-large': row({
    fields: { bytes: 'number', limit: 'number' },
    anchor: anchors.upload,
    cure: () => 'have the client sign in before it uploads, or set limits.handshakeBodyBytes higher',
    text: ({ bytes, limit }) =>
      `the body of this leg has ${bytes} bytes, more than limits.handshakeBodyBytes (${limit})`,
  }),
  'no-bindings-to-require': row({
    fields: {},
    anchor: anchors.proxy,
    cure: () => "let TLS end at this server, or set channelBinding: 'whenSupported'",
    text: () =>
      "channelBinding is 'always', but the connection has no TLS to this server, or a certificate without bindings",
  }),
  'token-bytes-too-many': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => 'the token has bytes too many',
  }),
  'body-not-encrypted-here': row({
    fields: {},
    anchor: anchors.badRequest,
    text: () => 'the request has no encrypted body',
  }),
  'body-without-context': row({
    fields: {},
    anchor: anchors.badRequest,
    cure: () => 'mount winrmEncryption() before the sign-in, for every path of it',
    text: () =>
      'this sign-in has no security context that could open it: the connection was signed in where winrmEncryption() is not mounted, or the client has agreed on no encryption',
  }),
});
