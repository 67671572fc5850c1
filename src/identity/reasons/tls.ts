/** Why a handshake of Schannel or CredSSP is refused, and a message inside its TLS. */
import { anchors } from './anchors.ts';
import { row } from './row.ts';

export const tlsReasons = Object.freeze({
  'credssp-invalid': row({
    fields: { detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ detail }) => `CredSSP: ${detail}`,
  }),
  'credssp-not-a-message': row({
    fields: { detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ detail }) => `not a message of CredSSP: ${detail}`,
  }),
  'credssp-version': row({
    fields: { version: 'number', minVersion: 'number' },
    anchor: anchors.otherPrograms,
    cure: () => 'update the client: versions below 5 let somebody in between take the password (CVE-2018-0886)',
    text: ({ version, minVersion }) => `the client speaks CredSSP version ${version}, and minVersion is ${minVersion}`,
  }),
  'credssp-other-certificate': row({
    fields: {},
    anchor: anchors.proxy,
    cure: () => 'have clients reach this server without anything in between that ends TLS',
    text: () => "pubKeyAuth is not for this server's certificate: somebody in between has another one",
  }),
  'credssp-cannot-seal': row({
    fields: {},
    anchor: anchors.serverError,
    text: () => 'cannot be sealed',
  }),
  'credssp-cannot-unseal': row({
    fields: { field: 'name' },
    anchor: anchors.refusedAlways,
    text: ({ field }) => `${field} cannot be unsealed`,
  }),
  'credssp-no-password': row({
    fields: { kind: 'detail' },
    anchor: anchors.otherPrograms,
    cure: () => 'have the client give a password',
    text: ({ kind }) => `the client gave credentials ${kind}; only a password is taken`,
  }),
  'credssp-no-account': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => 'the client has no account',
  }),
  'credssp-restricted-admin': row({
    fields: {},
    anchor: anchors.otherPrograms,
    cure: () => 'have the client give its password (mstsc without /restrictedAdmin), or set restrictedAdmin: true',
    text: () => 'the client gave no password, and restrictedAdmin is false',
  }),
  // The name is the client's text, and may be anything, a password too: it is not logged.
  'credssp-other-account': row({
    fields: {},
    anchor: anchors.otherUser,
    text: () => 'the credentials are of another account than the one that was verified',
  }),
  'credssp-tls': row({
    fields: { status: 'name' },
    anchor: anchors.refusedAlways,
    text: ({ status }) => `TLS: ${status}`,
  }),
  'credssp-broken': row({
    fields: {},
    anchor: anchors.serverError,
    text: () => 'the TLS connection inside CredSSP does not work any more',
  }),
  'credssp-unsupported': row({
    fields: {},
    anchor: anchors.serverError,
    text: () => 'CredSSP has no prompt and no DTLS',
  }),
  'credssp-too-much': row({
    fields: { limit: 'number' },
    anchor: anchors.refusedAlways,
    text: ({ limit }) => `the client sent more than ${limit} bytes and has not signed in`,
  }),
  'credssp-half-message': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => 'a token of CredSSP ends in the middle of a message',
  }),

  'schannel-second-handshake': row({
    fields: {},
    anchor: anchors.refusedAlways,
    text: () => 'a second TLS handshake is refused',
  }),
  'schannel-timeout': row({
    fields: {},
    anchor: anchors.slow,
    text: () => 'the TLS handshake took longer than Node gives it (120 seconds)',
  }),
  'schannel-failed': row({
    fields: { code: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ code }) => `TLS handshake: ${code}`,
  }),
  'schannel-untrusted': row({
    fields: { code: 'detail?' },
    anchor: anchors.refusedAlways,
    cure: () => 'give the authority of the certificate in ca, or the client a certificate that is valid now',
    text: ({ code }) =>
      `the client's certificate is not trusted by ca, or is not valid now${code === '' ? '' : `: ${code}`}`,
  }),
  'schannel-not-tls': row({
    fields: { detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ detail }) => `not TLS: ${detail}`,
  }),
  'schannel-certificate': row({
    fields: { detail: 'detail' },
    anchor: anchors.refusedAlways,
    text: ({ detail }) => `the client's certificate: ${detail}`,
  }),
  'schannel-no-certificate': row({
    fields: {},
    anchor: anchors.otherPrograms,
    cure: () => 'give the client a certificate',
    text: () => 'the client has no certificate',
  }),
  'schannel-map-failed': row({
    fields: {},
    anchor: anchors.serverError,
    text: () => 'mapCertificate failed',
  }),
  'schannel-map-account': row({
    fields: { detail: 'detail?' },
    anchor: anchors.serverError,
    text: ({ detail }) => (detail === '' ? 'mapCertificate gave an account that cannot be used' : detail),
  }),
  'schannel-unsupported': row({
    fields: {},
    anchor: anchors.serverError,
    text: () => 'Schannel has no delegation, prompt or DTLS',
  }),
  'schannel-needs-ca': row({
    fields: {},
    anchor: anchors.serverError,
    text: () => 'ASC_REQ_MUTUAL_AUTH needs authData.ca: the authorities whose client certificates are trusted',
  }),
});
