import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  encodePlaintextAlert,
  hasTlsRecord,
  plaintextAlert,
  TLS_ALERT,
  TLS_APPLICATION_DATA,
  TLS_CHANGE_CIPHER_SPEC,
  TLS_HANDSHAKE,
  TLS_MAX_FRAGMENT_BYTES,
  tlsRecordAt,
} from '../../src/formats/tls-record.ts';
import { MalformedTokenError } from '../../src/foundation/errors.ts';

const types = [TLS_CHANGE_CIPHER_SPEC, TLS_ALERT, TLS_HANDSHAKE, TLS_APPLICATION_DATA];

const record = fc
  .tuple(fc.constantFrom(...types), fc.constantFrom(0, 1, 3, 4), fc.uint8Array({ maxLength: 300 }))
  .map(([type, minor, fragment]) =>
    Buffer.concat([Buffer.of(type, 3, minor, fragment.byteLength >> 8, fragment.byteLength & 0xff), fragment]),
  );

describe('TLS records', () => {
  it('any records end where they end, and each prefix says how much is missing', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), fc.nat(), (records, cut) => {
        const bytes = Buffer.concat(records);
        let at = 0;
        for (const one of records) {
          const found = tlsRecordAt(bytes, at);
          assert.deepEqual(found, { type: one[0], end: at + one.byteLength, missing: 0 });
          const length = cut % one.byteLength;
          const part = tlsRecordAt(bytes.subarray(0, at + length), at);
          assert.equal(part.end, undefined);
          assert.equal(part.missing, length < 5 ? 5 - length : one.byteLength - length);
          at += one.byteLength;
        }
      }),
    );
  });

  it('any bytes are a record, a part of one, or refused; and what is refused stays refused with more', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (bytes, more) => {
        let refused = false;
        try {
          const { end, missing } = tlsRecordAt(bytes, 0);
          assert.equal(end === undefined, missing > 0);
          assert.ok(missing <= TLS_MAX_FRAGMENT_BYTES + 5);
        } catch (error) {
          assert.ok(error instanceof MalformedTokenError);
          refused = true;
        }
        if (refused) assert.throws(() => tlsRecordAt(Buffer.concat([bytes, more]), 0), MalformedTokenError);
      }),
    );
  });

  it('text of other protocols is refused at its first byte', () => {
    for (const text of ['GET / HTTP/1.1', 'SSH-2.0', 'EHLO x', '\x80\x2e\x01', '\0\0']) {
      assert.throws(() => tlsRecordAt(Buffer.from(text, 'latin1').subarray(0, 1), 0), MalformedTokenError);
    }
  });

  it('a length is refused as soon as its first byte is too much', () => {
    assert.throws(() => tlsRecordAt(Buffer.of(22, 3, 3, 0x49), 0), MalformedTokenError);
    assert.throws(() => tlsRecordAt(Buffer.of(22, 3, 3, 0x48, 1), 0), MalformedTokenError);
    assert.equal(tlsRecordAt(Buffer.of(22, 3, 3, 0x48, 0), 0).missing, TLS_MAX_FRAGMENT_BYTES);
  });

  it('alerts in plaintext are found, those that are encrypted are not taken for one', () => {
    const alert = { level: 2, description: 40 };
    const other = Buffer.of(22, 3, 3, 0, 1, 0);
    assert.deepEqual(plaintextAlert(Buffer.concat([other, encodePlaintextAlert(alert)])), alert);
    assert.equal(plaintextAlert(Buffer.of(21, 3, 3, 0, 3, 2, 40, 0)), undefined);
    assert.equal(plaintextAlert(Buffer.concat([other, Buffer.of(21, 3)])), undefined);
    assert.equal(hasTlsRecord(Buffer.concat([other, encodePlaintextAlert(alert)]), TLS_ALERT), true);
    assert.equal(hasTlsRecord(other, TLS_ALERT), false);
  });
});
