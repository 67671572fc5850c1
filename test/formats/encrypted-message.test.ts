import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  encodeEncryptedMessage,
  encryptedTypeOf,
  isEncryptedType,
  parseEncryptedMessage,
  parseEncryptedType,
} from '../../src/formats/encrypted-message.ts';
import type { EncryptedPart, EncryptedType, EncryptionProtocol } from '../../src/formats/encrypted-message.ts';
import { MalformedTokenError } from '../../src/foundation/errors.ts';

const SPNEGO: EncryptionProtocol = 'application/HTTP-SPNEGO-session-encrypted';
const CREDSSP: EncryptionProtocol = 'application/HTTP-CredSSP-session-encrypted';
const one: EncryptedType = { protocol: SPNEGO, boundary: 'Encrypted Boundary', several: false };
const many: EncryptedType = { ...one, several: true };

/** A body as pywinrm writes it. */
function body(sealed: string, { length = '7', boundary = '--Encrypted Boundary', end = '--\r\n' } = {}): Buffer {
  const text =
    `${boundary}\r\n\tContent-Type: ${SPNEGO}\r\n` +
    `\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=${length}\r\n` +
    `${boundary}\r\n\tContent-Type: application/octet-stream\r\n${sealed}${boundary}${end}`;
  return Buffer.from(text, 'latin1');
}

const refused = (bytes: Uint8Array, type = one): void =>
  assert.throws(() => parseEncryptedMessage(bytes, type), MalformedTokenError);

describe('Content-Type of an encrypted message', () => {
  it('is read in the forms that clients write', () => {
    const written =
      'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"';
    assert.deepEqual(parseEncryptedType(written), one);
    assert.deepEqual(
      parseEncryptedType(
        ' Multipart/X-Multi-Encrypted ; Boundary=b; PROTOCOL="application/http-credssp-session-encrypted"',
      ),
      { protocol: CREDSSP, boundary: 'b', several: true },
    );
    assert.deepEqual(parseEncryptedType(encryptedTypeOf(SPNEGO, false)), one);
    assert.deepEqual(parseEncryptedType(encryptedTypeOf(SPNEGO, true)), many);
  });

  it('of other bodies, of other protocols, without or with two boundaries, is none', () => {
    for (const value of [
      '',
      'text/xml',
      'multipart/mixed;boundary=b',
      'multipart/encrypted',
      'multipart/encrypted;boundary=b',
      'multipart/encrypted;protocol="application/pgp-encrypted";boundary=b',
      `multipart/encrypted;protocol="${SPNEGO}"`,
      `multipart/encrypted;protocol="${SPNEGO}";boundary=""`,
      `multipart/encrypted;protocol="${SPNEGO}";boundary=a;boundary=b`,
      `multipart/encrypted;protocol="${SPNEGO}";boundary=${'b'.repeat(71)}`,
    ]) {
      assert.equal(parseEncryptedType(value), undefined, value);
    }
  });

  it('is told from others by its media type alone', () => {
    for (const value of ['multipart/encrypted', ' MULTIPART/x-multi-encrypted;boundary=b', 'multipart/encrypted ; x']) {
      assert.equal(isEncryptedType(value), true, value);
    }
    for (const value of ['', 'multipart/encrypted2', 'x/multipart/encrypted', 'multipart/x-encrypted', 'text/plain']) {
      assert.equal(isEncryptedType(value), false, value);
    }
  });
});

describe('the body of an encrypted message', () => {
  it('is read as pywinrm writes it, and with a blank before the boundary', () => {
    const expected = [
      {
        type: 'application/soap+xml;charset=UTF-8',
        length: 7,
        signatureLength: 16,
        sealed: Uint8Array.from(Buffer.from('sealed\r\n', 'latin1')),
      },
    ];
    for (const variant of [{}, { boundary: '-- Encrypted Boundary' }, { end: '--' }]) {
      const parts = parseEncryptedMessage(body('\x10\0\0\0sealed\r\n', variant), one);
      assert.deepEqual(
        parts.map((part) => ({ ...part, sealed: Uint8Array.from(part.sealed) })),
        expected,
      );
    }
  });

  it('of several pairs is read where its type has several', () => {
    const part: EncryptedPart = { type: 'text/xml', length: 1, signatureLength: 17, sealed: Buffer.from('abc') };
    const bytes = encodeEncryptedMessage(SPNEGO, [part, part, part]);
    assert.equal(parseEncryptedMessage(bytes, many).length, 3);
    refused(bytes);
  });

  it('in any other form is malformed', () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('x'),
      body('\x10\0\0'),
      body('\x10\0\0\0x', { length: '-1' }),
      body('\x10\0\0\0x', { length: '0' }),
      body('\x10\0\0\0x', { length: '12345678901' }),
      body('\x10\0\0\0x', { end: '\r\n' }),
      body('\x10\0\0\0x', { end: '-' }),
      body('\x10\0\0\0x').subarray(0, -30),
      Buffer.from(body('\x10\0\0\0x').toString('latin1').replace('octet-stream', 'other'), 'latin1'),
      Buffer.from(body('\x10\0\0\0x').toString('latin1').replace('SPNEGO', 'CredSSP'), 'latin1'),
      Buffer.from(body('\x10\0\0\0x').toString('latin1').replace('type=application', 'type=\x01'), 'latin1'),
      Buffer.from(body('\x10\0\0\0x').toString('latin1').replace('OriginalContent', 'x'.repeat(2000)), 'latin1'),
    ]) {
      refused(bytes);
    }
  });

  it('of any bytes is read or malformed, and nothing else happens (property)', () => {
    const whole = body('\x10\0\0\0sealed');
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.nat(whole.byteLength), fc.nat(whole.byteLength), fc.uint8Array({ maxLength: 8 }))
        .map(([at, to, more]) => Uint8Array.from(Buffer.concat([whole.subarray(0, at), more, whole.subarray(to)]))),
    );
    fc.assert(
      fc.property(inputs, fc.boolean(), (bytes, several) => {
        try {
          parseEncryptedMessage(bytes, several ? many : one);
        } catch (error) {
          assert.ok(error instanceof MalformedTokenError, String(error));
        }
      }),
    );
  });

  it('comes back as it was written (property)', () => {
    const part = fc.record({
      type: fc.constantFrom('text/xml', 'application/soap+xml;charset=UTF-8'),
      length: fc.integer({ min: 1, max: 2 ** 31 }),
      signatureLength: fc.integer({ min: 0, max: 0xffffffff }),
      sealed: fc.uint8Array({ maxLength: 100 }),
    });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const read = parseEncryptedMessage(encodeEncryptedMessage(SPNEGO, parts), many);
        assert.deepEqual(
          read.map((each) => ({ ...each, sealed: Uint8Array.from(each.sealed) })),
          parts.map((each) => ({ ...each })),
        );
      }),
    );
  });
});

describe('what is missing in an encrypted message', () => {
  it('is named: the end of a line, the boundary behind the bytes', () => {
    const whole = body('\x00\x00\x00\x00sealed');
    const unended = whole.subarray(0, whole.lastIndexOf('--Encrypted Boundary'));
    assert.throws(() => parseEncryptedMessage(unended, one), /boundary.*is missing after the encrypted bytes/);
    assert.throws(() => parseEncryptedMessage(Buffer.from('--Encrypted Boundary'), one), /line.*has no end/);
  });
});
