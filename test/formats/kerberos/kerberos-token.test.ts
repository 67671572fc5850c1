import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedTokenError } from '../../../src/foundation/errors.ts';
import { derElement, derInteger } from '../../../src/formats/der.ts';
import { OID_KERBEROS } from '../../../src/formats/object-identifiers.ts';
import {
  decodeApRequest,
  decodeErrorCode,
  decodeKerberosToken,
  holdsPac,
  TOK_ID_AP_REP,
  TOK_ID_AP_REQ,
} from '../../../src/formats/kerberos/kerberos-token.ts';
import { escapeComponent } from '../../../src/formats/kerberos/principal.ts';
import { decodeKeytab } from '../../../src/formats/kerberos/keytab.ts';
import { KEYTAB_HEAD, keytabEntry } from '../../lab/kerberos/keytab-entry.ts';
import { vectors } from '../../lab/kerberos/vectors.ts';

const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);
const requests = vectors(/^apreq\./).filter(({ expected }) => /^60[0-9a-f]{2,6}06092a864886f7/.test(expected));

/** The elements with a NULL at the end of each constructed one in turn, the lengths around it made right. */
function* withRest(elements: Buffer): Generator<Buffer> {
  for (let at = 0; at < elements.byteLength;) {
    const tag = elements.readUInt8(at);
    const short = elements.readUInt8(at + 1);
    const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
    const length = lengthBytes === 0 ? short : elements.readUIntBE(at + 2, lengthBytes);
    const start = at + 2 + lengthBytes;
    const content = elements.subarray(start, start + length);
    const around = (inner: Uint8Array): Buffer =>
      Buffer.concat([elements.subarray(0, at), derElement(tag, inner), elements.subarray(start + length)]);
    if ((tag & 0x20) !== 0) {
      yield around(Buffer.concat([content, Buffer.of(5, 0)]));
      for (const inner of withRest(content)) yield around(inner);
    }
    at = start + length;
  }
}

describe('the clear part of an AP-REQ, RFC 4120 5.5.1', () => {
  for (const { id, inputs, expected } of requests) {
    const token = Buffer.from(expected, 'hex');
    it(id, () => {
      const { mechanism, tokenId, message } = decodeKerberosToken(token);
      assert.equal(mechanism, OID_KERBEROS);
      assert.equal(tokenId, TOK_ID_AP_REQ);
      const request = decodeApRequest(message);
      assert.deepEqual(request.ticket, {
        realm: inputs['realm'],
        serviceName: inputs['sname'],
        encryptionType: inputs['etype'],
        keyVersion: inputs['kvno'],
      });
      assert.equal(request.mutualRequired, String(inputs['apOptions']).startsWith('0020'));
      assert.equal(request.useSessionKey, false);
      if (inputs['sessionEtype'] !== undefined) assert.equal(request.sessionEncryptionType, inputs['sessionEtype']);
    });
    it(`${id}: every prefix and a trailing byte are malformed (A03, A04)`, () => {
      for (let length = 0; length < token.byteLength; length++) {
        assert.throws(() => decodeKerberosToken(token.subarray(0, length)), MalformedTokenError);
      }
      assert.throws(() => decodeKerberosToken(Buffer.concat([token, Buffer.of(0)])), MalformedTokenError);
      const { message } = decodeKerberosToken(token);
      for (let length = 0; length < message.byteLength; length++) {
        assert.throws(() => decodeApRequest(message.subarray(0, length)), MalformedTokenError);
      }
    });
  }

  it('nothing may follow inside any of its elements: another reader could take that for the ticket', () => {
    const { message } = decodeKerberosToken(Buffer.from(requests[0]?.expected ?? '', 'hex'));
    const variants = [...withRest(Buffer.from(message))];
    assert.ok(variants.length > 15, String(variants.length));
    for (const variant of variants) {
      assert.throws(() => decodeApRequest(variant), MalformedTokenError, variant.toString('hex').slice(0, 120));
    }
  });

  it('is one whole message of version 5 and type 14, with a name of text', () => {
    const encrypted = derElement(
      0x30,
      derElement(0xa0, derInteger(18)),
      derElement(0xa2, derElement(0x04, Uint8Array.of(1))),
    );
    const text = (value: Uint8Array): Uint8Array => derElement(0x1b, value);
    interface Parts {
      readonly numbers?: readonly [pvno: number, type: number, version: number];
      readonly realm?: Uint8Array;
      readonly components?: readonly Uint8Array[];
    }
    const request = ({ numbers = [5, 14, 5], realm = Buffer.from('R'), components = [realm] }: Parts): Uint8Array => {
      const [pvno, type, version] = numbers;
      const names = derElement(0xa1, derElement(0x30, ...components.map(text)));
      const ticket = derElement(
        0x30,
        derElement(0xa0, derInteger(version)),
        derElement(0xa1, text(realm)),
        derElement(0xa2, derElement(0x30, derElement(0xa0, derInteger(2)), names)),
        derElement(0xa3, encrypted),
      );
      const fields = [
        derElement(0xa0, derInteger(pvno)),
        derElement(0xa1, derInteger(type)),
        derElement(0xa2, derElement(0x03, Uint8Array.of(0, 0x40, 0, 0, 0))),
        derElement(0xa3, derElement(0x61, ticket)),
        derElement(0xa4, encrypted),
      ];
      return derElement(0x6e, derElement(0x30, ...fields));
    };
    const good = decodeApRequest(request({}));
    assert.deepEqual([good.useSessionKey, good.mutualRequired], [true, false]);
    assert.deepEqual([good.ticket.realm, good.ticket.serviceName, good.ticket.keyVersion], ['R', 'R', undefined]);
    assert.throws(() => decodeApRequest(Buffer.concat([request({}), Buffer.of(0)])), /1 bytes too many/);
    for (const numbers of [
      [4, 14, 5],
      [5, 15, 5],
      [5, 14, 4],
    ] as const) {
      assert.throws(() => decodeApRequest(request({ numbers })), MalformedTokenError);
    }
    assert.throws(() => decodeApRequest(request({ components: [] })), /has no components/);
    for (const name of ['ü', '\u0080', 'x'.repeat(64), 'x'.repeat(65), 'ü'.repeat(40), '\ufeffR']) {
      const { ticket } = decodeApRequest(request({ realm: Buffer.from(name) }));
      assert.deepEqual([ticket.realm, ticket.serviceName], [name, name]);
    }
    const components = ['HTTP', 'a/b', 'c'].map((component) => Buffer.from(component));
    assert.equal(decodeApRequest(request({ components })).ticket.serviceName, 'HTTP/a\\/b/c');
    for (const realm of [Buffer.of(0xff), Buffer.of(0x80), Buffer.from('ü'.repeat(40), 'latin1')]) {
      assert.throws(() => decodeApRequest(request({ realm })), /is not UTF-8/);
    }
  });

  it('an AP-REP is told apart', () => {
    const [reply] = vectors(/^sample\.initial_context_token_krb_ap_rep$/);
    const { tokenId, message } = decodeKerberosToken(Buffer.from(reply!.expected, 'hex'));
    assert.equal(tokenId, TOK_ID_AP_REP);
    assert.throws(() => decodeApRequest(message), MalformedTokenError);
  });

  it('a KRB-ERROR gives its code, RFC 4120 5.9.1', () => {
    // As Heimdal sends it for a clock that is off: stime, susec, error-code 37, realm, sname, e-data.
    const fields = (code: number, ...before: Uint8Array[]): Uint8Array[] => [
      derElement(0xa0, derInteger(5)),
      derElement(0xa1, derInteger(30)),
      ...before,
      derElement(0xa4, derElement(0x18, Buffer.from('20260101000000Z'))),
      derElement(0xa5, derInteger(1)),
      derElement(0xa6, derInteger(code)),
      derElement(0xa9, derElement(0x1b, Buffer.from('TEST.LOCAL'))),
    ];
    const message = (...parts: Uint8Array[]): Uint8Array => derElement(0x7e, derElement(0x30, ...parts));
    assert.equal(decodeErrorCode(message(...fields(37))), 37);
    const client = [
      derElement(0xa2, derElement(0x18, Buffer.from('20260101000000Z'))),
      derElement(0xa3, derInteger(7)),
    ];
    assert.equal(decodeErrorCode(message(...fields(41, ...client))), 41);
    const whole = message(...fields(37));
    for (let length = 0; length < whole.byteLength; length++) {
      assert.throws(() => decodeErrorCode(whole.subarray(0, length)), MalformedTokenError);
    }
    for (const field of [0, 1, 2, 3, 4]) {
      const parts = fields(37).filter((_, index) => index !== field);
      assert.throws(() => decodeErrorCode(message(...parts)), MalformedTokenError);
    }
    fc.assert(
      fc.property(fc.nat(whole.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const altered = Uint8Array.from(whole);
        altered[at]! ^= bits;
        try {
          assert.equal(typeof decodeErrorCode(altered), 'number');
        } catch (error) {
          assert.ok(error instanceof MalformedTokenError, String(error));
        }
      }),
      { numRuns },
    );
  });

  it('D09: mutations give a value or MalformedTokenError', () => {
    const token = Buffer.from(requests[0]!.expected, 'hex');
    const mutation = fc.record({ at: fc.nat(220), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
        const bytes = Buffer.from(token);
        for (const { at, value } of mutations) bytes[at] = value;
        try {
          decodeApRequest(decodeKerberosToken(bytes).message);
        } catch (error) {
          assert.ok(error instanceof MalformedTokenError, String(error));
        }
      }),
      { numRuns },
    );
  });

  it('has its TOK_ID whole, and is refused without one', () => {
    for (const rest of ['', '01']) {
      const inner = Buffer.from(`06092a864886f712010202${rest}`, 'hex');
      assert.throws(() => decodeKerberosToken(derElement(0x60, inner)), /TOK_ID.*is missing/);
    }
    const { tokenId, message } = decodeKerberosToken(
      derElement(0x60, Buffer.from('06092a864886f7120102020304', 'hex')),
    );
    assert.deepEqual([tokenId, message.byteLength], [0x0304, 0]);
  });

  it('D18: components that hold a separator stay apart', () => {
    assert.equal(escapeComponent('a/b@c\\d'), 'a\\/b\\@c\\\\d');
    assert.equal(escapeComponent('web.test'), 'web.test');
  });

  it('authorization data holds a PAC where it says so, or where it cannot be read', () => {
    const entry = (type: string): Buffer => Buffer.from(`300d300ba004${type}a1030401aa`, 'hex');
    assert.equal(holdsPac(entry('02020080')), true);
    assert.equal(holdsPac(Buffer.from('300c300aa00302010da1030401aa', 'hex')), false);
    assert.equal(holdsPac(Buffer.from('3080', 'hex')), true);
    assert.equal(holdsPac(Buffer.from('3000', 'hex')), false);
  });
});

describe('the keytab file format', () => {
  it('lists entries, skips holes, and takes the 32-bit version where there is one', () => {
    const hole = Buffer.alloc(4 + 10);
    hole.writeInt32BE(-10);
    const file = Buffer.concat([
      KEYTAB_HEAD,
      keytabEntry(['HTTP', 'web'], 'R', 3, 18),
      hole,
      keytabEntry(['HTTP', 'a/b'], 'R', 44, 17, 300),
      keytabEntry(['host'], 'R', 7, 23, 0),
    ]);
    assert.deepEqual(decodeKeytab(file), [
      { name: 'HTTP/web', realm: 'R', keyVersion: 3, encryptionType: 18 },
      { name: 'HTTP/a\\/b', realm: 'R', keyVersion: 300, encryptionType: 17 },
      { name: 'host', realm: 'R', keyVersion: 7, encryptionType: 23 },
    ]);
  });
  it('other versions, other files and cut entries are malformed', () => {
    for (const file of [Buffer.of(5, 1), Buffer.from('<xml/>'), Buffer.alloc(0)]) {
      assert.throws(() => decodeKeytab(file), MalformedTokenError);
    }
    const whole = Buffer.concat([KEYTAB_HEAD, keytabEntry(['HTTP', 'web'], 'R', 3, 18)]);
    for (let length = 3; length < whole.byteLength; length++) {
      assert.throws(() => decodeKeytab(whole.subarray(0, length)), MalformedTokenError, String(length));
    }
  });
});
