/** What an acceptor takes, ignores and refuses of authorization data: RFC 4120 section 5.2.6. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { contextTag, DER_SEQUENCE, derElement, derInteger, derOctetString } from '../../../src/formats/der.ts';
import { MalformedTokenError } from '../../../src/foundation/errors.ts';
import { authenticatorAuthorization, ticketAuthorization } from '../../../src/packages/kerberos/authorization-rules.ts';

const IF_RELEVANT = 1;
const KDC_ISSUED = 4;
const MANDATORY_FOR_KDC = 8;
const CAMMAC = 96;
const PAC = 128;
const ETYPE_NEGOTIATION = 129;
const AP_OPTIONS = 143;
const TARGET = 144;

type Element = readonly [type: number, data: Uint8Array];

/** AuthorizationData of elements. */
function list(...elements: readonly Element[]): Uint8Array {
  return derElement(
    DER_SEQUENCE,
    ...elements.map(([type, data]) =>
      derElement(
        DER_SEQUENCE,
        derElement(contextTag(0), derInteger(type)),
        derElement(contextTag(1), derOctetString(data)),
      ),
    ),
  );
}

const optional = (...elements: readonly Element[]): Element => [IF_RELEVANT, list(...elements)];
const bytes = (size: number): Uint8Array => new Uint8Array(size).fill(7);
const types = (...values: readonly number[]): Uint8Array =>
  derElement(DER_SEQUENCE, ...values.map((value) => derInteger(value)));
const utf16 = (text: string): Uint8Array => Buffer.from(text, 'utf16le');

/** An AD-CAMMAC of RFC 7751 section 5. */
function cammac(...more: readonly Uint8Array[]): Uint8Array {
  return derElement(DER_SEQUENCE, derElement(contextTag(0), list([PAC, bytes(8)])), ...more);
}

for (const [name, read] of [
  ['a ticket', ticketAuthorization],
  ['an authenticator', authenticatorAuthorization],
] as const)
  describe(`authorization data of ${name}`, () => {
    it('may be absent or empty', () => {
      for (const data of [undefined, list(), list(optional())]) assert.equal(read(data).target, undefined);
    });

    it('D27: what is unknown is refused, unless it is optional at any depth', () => {
      for (const type of [KDC_ISSUED, MANDATORY_FOR_KDC, 5, 999, -1]) {
        assert.throws(() => read(list([type, bytes(4)])), new RegExp(`type ${type} is not understood`));
        read(list(optional([type, bytes(4)])));
        read(list(optional(optional([type, bytes(4)]))));
        // One that is optional says nothing of its neighbours.
        assert.throws(() => read(list(optional([type, bytes(4)]), [type, bytes(4)])), MalformedTokenError);
      }
    });

    it('is read through five AD-IF-RELEVANT at the most', () => {
      const nested = (depth: number): Uint8Array => {
        let data = list([TARGET, utf16('HTTP/web')]);
        for (let level = 0; level < depth; level++) data = list([IF_RELEVANT, data]);
        return data;
      };
      assert.equal(read(nested(4)).target, 'HTTP/web');
      assert.throws(() => read(nested(5)), /nested/);
    });

    it('has no more elements than 256', () => {
      const many = (count: number): Uint8Array =>
        list(optional(...Array.from({ length: count }, (): Element => [999, bytes(1)])));
      read(many(256));
      assert.throws(() => read(many(257)), /more than 256/);
    });

    it('is whole, without anything behind it', () => {
      const whole = Buffer.from(list([TARGET, utf16('HTTP/web')]));
      for (let end = 0; end < whole.byteLength; end++) {
        assert.throws(() => read(whole.subarray(0, end)), MalformedTokenError, `${end} bytes`);
      }
      assert.throws(() => read(Buffer.concat([whole, Buffer.of(0)])), MalformedTokenError);
    });

    it('D05: the target is text; what is none is a name that nobody has', () => {
      const targetOf = (data: Uint8Array): string | undefined => read(list(optional([TARGET, data]))).target;
      assert.equal(targetOf(utf16('HTTP/web@R')), 'HTTP/web@R');
      assert.equal(targetOf(Buffer.concat([utf16('HTTP/web'), Buffer.of(0)])), '');
      assert.equal(targetOf(Buffer.of(0x00, 0xd8)), '', 'half of a surrogate pair');
      assert.equal(targetOf(Buffer.alloc(0)), '');
      const first = list(optional([TARGET, utf16('HTTP/a')]), optional([TARGET, utf16('HTTP/b')]));
      assert.equal(read(first).target, 'HTTP/a');
    });
  });

describe('authorization data of a ticket alone', () => {
  it('has one PAC, wherever it lies', () => {
    assert.deepEqual(ticketAuthorization(list(optional([PAC, bytes(8)]))).pac, bytes(8));
    assert.deepEqual(ticketAuthorization(list([PAC, bytes(8)])).pac, bytes(8));
    assert.equal(ticketAuthorization(list(optional([999, bytes(8)]))).pac, undefined);
    for (const two of [
      list(optional([PAC, bytes(8)], [PAC, bytes(8)])),
      list([PAC, bytes(8)], optional([PAC, bytes(9)])),
      list(optional([PAC, bytes(8)]), optional(optional([PAC, bytes(8)]))),
    ]) {
      assert.throws(() => ticketAuthorization(two), /has 2 PACs/);
    }
  });

  it('gives no PAC out of an AD-CAMMAC, which must be one all the same', () => {
    const read = (data: Uint8Array): unknown => ticketAuthorization(list([CAMMAC, data])).pac;
    assert.equal(read(cammac()), undefined);
    const verifier = derElement(DER_SEQUENCE);
    assert.equal(read(cammac(...[1, 2].map((tag) => derElement(contextTag(tag), verifier)))), undefined);
    for (const wrong of [
      bytes(3),
      derElement(DER_SEQUENCE),
      Buffer.concat([cammac(), Buffer.of(0)]),
      cammac(derElement(contextTag(4), verifier)),
      cammac(derElement(contextTag(1), derInteger(1))),
      derElement(DER_SEQUENCE, derElement(contextTag(0), bytes(2))),
    ]) {
      assert.throws(() => read(wrong), MalformedTokenError);
    }
  });
});

describe('authorization data of an authenticator alone', () => {
  it('a PAC of the client is seen, so that it is never taken for one of the KDC', () => {
    assert.equal(authenticatorAuthorization(list(optional([PAC, bytes(8)]))).hasPac, true);
    assert.equal(authenticatorAuthorization(list()).hasPac, false);
  });

  it('D11: AP options are four bytes, once; their bit 0x4000 says that the client knows bindings', () => {
    const options = (...values: readonly Uint8Array[]): boolean =>
      authenticatorAuthorization(list(optional(...values.map((value): Element => [AP_OPTIONS, value]))))
        .knowsChannelBindings;
    assert.equal(options(Buffer.of(0, 0x40, 0, 0)), true);
    assert.equal(options(Buffer.of(0xff, 0xff, 0xff, 0xff)), true);
    assert.equal(options(Buffer.of(0xff, 0xbf, 0xff, 0xff)), false);
    assert.equal(options(Buffer.of(0, 0, 0x40, 0)), false);
    assert.equal(options(), false);
    for (const size of [0, 3, 5]) assert.throws(() => options(bytes(size)), /four bytes, once/);
    assert.throws(() => options(Buffer.of(0, 0x40, 0, 0), Buffer.of(0, 0x40, 0, 0)), /four bytes, once/);
  });

  it('the types that the client offers are those of its first list, and every list is one', () => {
    const offered = (...values: readonly Uint8Array[]): readonly number[] =>
      authenticatorAuthorization(list(optional(...values.map((value): Element => [ETYPE_NEGOTIATION, value]))))
        .offeredTypes;
    assert.deepEqual(offered(), []);
    assert.deepEqual(offered(types(18, 17, 23)), [18, 17, 23]);
    assert.deepEqual(offered(types()), []);
    assert.deepEqual(offered(types(18), types(20)), [18]);
    for (const wrong of [bytes(2), derInteger(18), Buffer.concat([types(18), Buffer.of(0)])]) {
      assert.throws(() => offered(wrong), MalformedTokenError);
      assert.throws(() => offered(types(18), wrong), MalformedTokenError);
    }
  });
});
