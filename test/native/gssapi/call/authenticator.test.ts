import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MalformedTokenError } from '../../../../src/foundation/errors.ts';
import {
  applicationTag,
  contextTag,
  DER_GENERALIZED_TIME,
  DER_SEQUENCE,
  derElement,
  derInteger,
} from '../../../../src/formats/der.ts';
import type { ApRequestHeader } from '../../../../src/formats/kerberos/kerberos-token.ts';
import type { GssapiLibrary } from '../../../../src/native/gssapi/call/library.ts';
import { apOptions, authorizationData, kerberosTime } from '../../../lab/kerberos/ap-request-forge.ts';
import {
  clientTarget,
  decodeAuthenticator,
  knowsChannelBindings,
} from '../../../../src/formats/kerberos/authenticator.ts';
import { openAuthenticator } from '../../../../src/native/gssapi/call/open-authenticator.ts';

const SECOND = Date.UTC(2026, 2, 1, 12, 30, 15);

/** An authenticator of these fields, by tag. */
function authenticator(fields: Readonly<Record<number, Uint8Array>>): Uint8Array {
  const parts = Object.entries(fields).map(([tag, content]) => derElement(contextTag(Number(tag)), content));
  return derElement(applicationTag(2), derElement(DER_SEQUENCE, ...parts));
}

const anything = derInteger(5);
const least = { 0: anything, 1: anything, 2: anything, 4: derInteger(250_500), 5: kerberosTime(SECOND) };

describe('an authenticator', () => {
  it('has its time to the microsecond, and perhaps authorization data', () => {
    assert.deepEqual(decodeAuthenticator(authenticator(least)), { time: SECOND + 250.5, authorizationData: undefined });
    const data = apOptions(0x4000);
    const read = decodeAuthenticator(authenticator({ ...least, 3: anything, 6: anything, 7: anything, 8: data }));
    assert.equal(read.time, SECOND + 250.5);
    assert.deepEqual(read.authorizationData, data);
    assert.deepEqual(decodeAuthenticator(authenticator({ ...least, 8: data })).authorizationData, data);
  });

  it('with something else in it is none', () => {
    const without = { 0: anything, 1: anything, 2: anything, 5: least[5] };
    const times = [
      ...['20260301123015', '20260301123015.5Z', '260301123015Z', '', '20261301123015Z', '20260001123015Z'],
      ...['20260230123015Z', '20260431123015Z', '20250229123015Z', '20260300123015Z', '20260301243015Z'],
      ...['20260301240000Z', '20260301126015Z', '20260301123060Z', '2026030112301５Z'],
    ].map((text) => ({
      ...least,
      5: derElement(DER_GENERALIZED_TIME, Buffer.from(text)),
    }));
    const fractions = [-1, 1_000_000, 0x7fffffff].map((microseconds) => ({ ...least, 4: derInteger(microseconds) }));
    for (const fields of [without, { ...least, 9: anything }, { ...least, 5: anything }, ...times, ...fractions]) {
      assert.throws(() => decodeAuthenticator(authenticator(fields)), MalformedTokenError, JSON.stringify(fields));
    }
    for (const [text, time] of [
      ['19700101000000Z', 0],
      ['20240229235959Z', Date.UTC(2024, 1, 29, 23, 59, 59)],
    ] as const) {
      const fields = { ...least, 4: derInteger(0), 5: derElement(DER_GENERALIZED_TIME, Buffer.from(text)) };
      assert.equal(decodeAuthenticator(authenticator(fields)).time, time);
    }
  });
});

describe('opening an authenticator', () => {
  const request = {
    ticketCipher: Buffer.from('ticket'),
    authenticatorCipher: Buffer.from('authenticator'),
  } as unknown as ApRequestHeader;
  const serviceKey = { encryptionType: 18, keyblock: 1n };
  const flags = derElement(contextTag(0), derElement(0x03, Uint8Array.of(0, 0, 0, 0, 0)));
  const sessionKey = derElement(
    DER_SEQUENCE,
    derElement(contextTag(0), derInteger(17)),
    derElement(contextTag(1), derElement(0x04, Buffer.from('a session key'))),
  );
  const ticketOf = (...parts: Uint8Array[]): Buffer =>
    Buffer.from(derElement(applicationTag(3), derElement(DER_SEQUENCE, ...parts)));

  /** Opens with these plain texts, by key usage, and gives what is left in memory. */
  function opened(ticket: Buffer | undefined): { result: string | undefined; uses: unknown[]; wiped: Buffer[] } {
    const uses: unknown[] = [];
    const keyblock = Buffer.from('a keyblock');
    const plain = Buffer.from('plain');
    const library = { addressOf: () => 2n } as unknown as GssapiLibrary;
    const result = openAuthenticator(
      library,
      {
        keyblock: (_, encryptionType, key) => {
          uses.push([encryptionType, Buffer.from(key).toString()]);
          return keyblock;
        },
        decrypt: (_, key, usage, cipher) => {
          uses.push([key, usage, Buffer.from(cipher).toString()]);
          return usage === 2 ? ticket : plain;
        },
      },
      serviceKey,
      request,
      (bytes) => bytes.toString(),
    );
    return { result, uses, wiped: [keyblock, plain] };
  }

  it('takes the key of the service, then that of the ticket (RFC 4120 section 7.5.1), and leaves neither in memory', () => {
    const ticket = ticketOf(flags, derElement(contextTag(1), sessionKey));
    const { result, uses, wiped } = opened(ticket);
    assert.equal(result, 'plain');
    assert.deepEqual(uses, [
      [serviceKey, 2, 'ticket'],
      [17, 'a session key'],
      [{ encryptionType: 17, keyblock: 2n }, 11, 'authenticator'],
    ]);
    for (const bytes of [ticket, ...wiped]) assert.ok(bytes.every((byte) => byte === 0));
  });

  it('ends where the key of the service does not fit, or the ticket is none', () => {
    const { result, uses } = opened(undefined);
    assert.deepEqual([result, uses], [undefined, [[serviceKey, 2, 'ticket']]]);
    for (const parts of [[], [flags], [derElement(contextTag(1), sessionKey)], [flags, sessionKey]]) {
      const ticket = ticketOf(...parts);
      assert.throws(() => opened(ticket), MalformedTokenError);
      assert.ok(
        ticket.every((byte) => byte === 0),
        'wiped all the same',
      );
    }
  });
});

describe('D11: the claim to know channel bindings', () => {
  it('is one bit of the options, wherever they are', () => {
    assert.equal(knowsChannelBindings(undefined), false);
    assert.equal(knowsChannelBindings(derElement(DER_SEQUENCE)), false);
    assert.equal(knowsChannelBindings(authorizationData(128, Uint8Array.of(0, 0x40, 0, 0))), false);
    for (const options of [0, 0x40, 0x8000, 0xffffbfff]) assert.equal(knowsChannelBindings(apOptions(options)), false);
    for (const options of [0x4000, 0xc000, 0xffffffff]) assert.equal(knowsChannelBindings(apOptions(options)), true);
    assert.equal(knowsChannelBindings(authorizationData(143, Uint8Array.of(0, 0x40, 0, 0))), true);
    assert.equal(knowsChannelBindings(authorizationData(1, apOptions(0x4000))), true);
    // apOptions has one AD-IF-RELEVANT around the options; as deep as four of them it is read.
    let nested = authorizationData(1, authorizationData(128, new Uint8Array(1)));
    for (let depth = 1; depth < 4; depth++) nested = authorizationData(1, nested);
    assert.equal(knowsChannelBindings(nested), false);
  });

  it('is taken for made where it cannot be read', () => {
    let nested = authorizationData(128, new Uint8Array(1));
    for (let depth = 0; depth < 5; depth++) nested = authorizationData(1, nested);
    const list = apOptions(0);
    const unreadable = [
      new Uint8Array(0),
      Uint8Array.of(0x30, 0x80, 0, 0),
      list.subarray(0, -1),
      authorizationData(1, Uint8Array.of(1)),
      authorizationData(143, new Uint8Array(1)),
      nested,
    ];
    for (const data of unreadable) assert.equal(knowsChannelBindings(data), true, Buffer.from(data).toString('hex'));
  });
});

describe('the service that a client means', () => {
  const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
  const meaning = (data: Uint8Array): Uint8Array => authorizationData(144, data);

  it('is found inside AD-IF-RELEVANT and beside others', () => {
    const name = 'HTTP/web.test@R.TEST';
    assert.equal(clientTarget(meaning(utf16(name))), name);
    assert.equal(clientTarget(authorizationData(1, meaning(utf16(name)))), name);
    assert.equal(clientTarget(undefined), undefined);
    for (const none of [derElement(DER_SEQUENCE), authorizationData(128, utf16(name)), apOptions(0x4000)]) {
      assert.equal(clientTarget(none), undefined);
    }
  });

  it('is empty if it is no text, and absent where nothing can be read', () => {
    assert.equal(clientTarget(meaning(Buffer.of(1, 0, 2))), '');
    assert.equal(clientTarget(meaning(utf16('a\ud800b'))), '');
    assert.equal(clientTarget(Buffer.from('no DER')), undefined);
    let deep = meaning(utf16('HTTP/web.test'));
    for (let depth = 0; depth < 10; depth++) deep = authorizationData(1, deep);
    assert.equal(clientTarget(deep), undefined);
  });
});
