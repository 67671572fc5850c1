/** TSRequest against recorded messages, its rules, and any bytes at all. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decodeTsRequest,
  encodeTsRequest,
  TS_REQUEST_MAX_BYTES,
  tsRequestLength,
} from '../../../src/formats/credssp/ts-request.ts';
import type { TsRequest } from '../../../src/formats/credssp/ts-request.ts';
import { contextTag, derElement, derInteger, derOctetString } from '../../../src/formats/der.ts';
import { MalformedTokenError } from '../../../src/foundation/errors.ts';
import { mutate, mutations } from '../../packages/ntlm/message-changes.ts';
import { credsspVectors } from '../../vectors/credssp-conversations.ts';

const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const hexOf = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');
const recorded = credsspVectors.conversations.flatMap(({ messages }) =>
  messages.map(({ tsRequest }) => bytesOf(tsRequest)),
);

const octets = fc.uint8Array({ maxLength: 300 });
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const anyRequest: fc.Arbitrary<TsRequest> = fc.record({
  version: fc.integer({ min: -0x80000000, max: 0xffffffff }),
  negoToken: optional(octets),
  authInfo: optional(octets),
  pubKeyAuth: optional(octets),
  errorCode: optional(fc.integer({ min: 0, max: 0xffffffff })),
  clientNonce: optional(fc.uint8Array({ minLength: 32, maxLength: 32 })),
});

/** A TSRequest of version 6 with these fields behind its version. */
const withFields = (...fields: readonly Uint8Array[]): Uint8Array =>
  derElement(0x30, derElement(contextTag(0), derInteger(6)), ...fields);

describe('TSRequest', () => {
  it('recorded messages are read, and written again byte by byte', () => {
    assert.equal(recorded.length, 25);
    for (const bytes of recorded) {
      assert.equal(tsRequestLength(bytes), bytes.byteLength);
      assert.deepEqual(encodeTsRequest(decodeTsRequest(bytes)), bytes);
    }
  });

  it('errorCode has four bytes, as Windows has it', () => {
    assert.equal(hexOf(encodeTsRequest({ version: 6, errorCode: 0xc000006d })), '300da003020106a4060204c000006d');
    assert.equal(decodeTsRequest(bytesOf('300da003020106a4060204c00000bb')).errorCode, 0xc00000bb);
  });

  it('what is written is read', () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        const bytes = encodeTsRequest(request);
        assert.equal(tsRequestLength(bytes), bytes.byteLength);
        const read = decodeTsRequest(bytes);
        assert.deepEqual([read.version, read.errorCode], [request.version, request.errorCode]);
        for (const field of ['negoToken', 'authInfo', 'pubKeyAuth', 'clientNonce'] as const) {
          assert.equal(hexOf(read[field]), hexOf(request[field]), field);
        }
      }),
      { numRuns },
    );
  });

  it('any change to a recorded message is read in the same way again, or malformed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...recorded), mutations, (bytes, changes) => {
        const changed = mutate(bytes, changes);
        try {
          const length = tsRequestLength(changed);
          assert.ok(length === undefined || length <= TS_REQUEST_MAX_BYTES);
          assert.deepEqual(encodeTsRequest(decodeTsRequest(changed)), changed);
        } catch (error) {
          if (!(error instanceof MalformedTokenError)) throw error;
        }
      }),
      { numRuns },
    );
  });

  const malformed: readonly (readonly [string, Uint8Array, RegExp])[] = [
    [
      'F02: a nonce of 31 bytes',
      withFields(derElement(contextTag(5), derOctetString(new Uint8Array(31)))),
      /clientNonce/,
    ],
    [
      'F02: a nonce of 33 bytes',
      withFields(derElement(contextTag(5), derOctetString(new Uint8Array(33)))),
      /clientNonce/,
    ],
    ['F02: an empty nonce', withFields(derElement(contextTag(5), derOctetString(new Uint8Array(0)))), /clientNonce/],
    [
      'F07: a thousand negoTokens',
      withFields(
        derElement(
          contextTag(1),
          derElement(
            0x30,
            ...Array.from({ length: 1000 }, () =>
              derElement(0x30, derElement(contextTag(0), derOctetString(Uint8Array.of(1)))),
            ),
          ),
        ),
      ),
      /negoTokens/,
    ],
    ['no negoToken in negoTokens', withFields(derElement(contextTag(1), derElement(0x30))), /NegoDataItem/],
    [
      'a field that nobody knows',
      withFields(derElement(contextTag(6), derOctetString(new Uint8Array(1)))),
      /TSRequest/,
    ],
    [
      'a field twice',
      withFields(...[3, 3].map((tag) => derElement(contextTag(tag), derOctetString(new Uint8Array(1))))),
      /TSRequest/,
    ],
    [
      'fields in another order',
      withFields(...[3, 2].map((tag) => derElement(contextTag(tag), derOctetString(new Uint8Array(1))))),
      /TSRequest/,
    ],
    ['no version', derElement(0x30, derElement(contextTag(3), derOctetString(new Uint8Array(1)))), /version/],
    ['a second TSRequest behind it', Uint8Array.from([...withFields(), ...withFields()]), /TSRequest/],
  ];
  for (const [name, bytes, field] of malformed) {
    it(`${name} is malformed`, () => {
      assert.throws(
        () => decodeTsRequest(bytes),
        (error) => error instanceof MalformedTokenError && field.test(error.message),
      );
    });
  }

  it('F06: its length is known from its first bytes, and bounded', () => {
    for (const cut of ['', '30', '3082', '308201']) assert.equal(tsRequestLength(bytesOf(cut)), undefined, cut);
    assert.equal(tsRequestLength(bytesOf('3005')), 7);
    assert.equal(tsRequestLength(bytesOf('30820100')), 260);
    assert.equal(tsRequestLength(bytesOf('3082fffc')), TS_REQUEST_MAX_BYTES);
    for (const bad of ['3082fffd', '3083010000', '3084', '3080', '31', '474554']) {
      assert.throws(() => tsRequestLength(bytesOf(bad)), MalformedTokenError, bad);
    }
  });
});
