/** Tickets made here; those of KDCs are in test/live/kerberos/. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  applicationTag,
  contextTag,
  DER_BIT_STRING,
  DER_GENERAL_STRING,
  DER_SEQUENCE,
  derElement,
  derInteger,
  derOctetString,
} from '../../../src/formats/der.ts';
import { decodeTicketClient, decodeTicketSessionKey } from '../../../src/formats/kerberos/enc-ticket-part.ts';
import { MalformedTokenError } from '../../../src/foundation/errors.ts';

const sequence = (...parts: readonly Uint8Array[]): Uint8Array => derElement(DER_SEQUENCE, ...parts);
const tagged = (number: number, content: Uint8Array): Uint8Array => derElement(contextTag(number), content);
const string = (text: string): Uint8Array => derElement(DER_GENERAL_STRING, Buffer.from(text));
const key = sequence(tagged(0, derInteger(18)), tagged(1, derOctetString(Buffer.from('a session key'))));
const ticket = derElement(
  applicationTag(3),
  sequence(
    tagged(0, derElement(DER_BIT_STRING, new Uint8Array(5))),
    tagged(1, key),
    tagged(2, string('R.TEST')),
    tagged(3, sequence(tagged(0, derInteger(1)), tagged(1, sequence(string('b\xfccher'), string('a/b'))))),
  ),
);

describe('EncTicketPart, RFC 4120 section 5.3', () => {
  it('names its client, with what would be ambiguous escaped (D18)', () => {
    assert.deepEqual(decodeTicketClient(ticket), { realm: 'R.TEST', name: 'b\xfccher/a\\/b' });
  });

  it('has a session key', () => {
    const { encryptionType, value } = decodeTicketSessionKey(ticket);
    assert.deepEqual([encryptionType, Buffer.from(value).toString()], [18, 'a session key']);
  });

  it('A03: every prefix is malformed', () => {
    for (let length = 0; length < ticket.byteLength; length++) {
      for (const decode of [decodeTicketClient, decodeTicketSessionKey]) {
        assert.throws(() => decode(ticket.subarray(0, length)), MalformedTokenError, String(length));
      }
    }
  });
});
