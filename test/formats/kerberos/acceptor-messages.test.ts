/** AP-REP and KRB-ERROR as an acceptor writes them: RFC 4120 sections 5.5.2 and 5.9.1. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  applicationTag,
  contextTag,
  DER_GENERAL_STRING,
  DER_GENERALIZED_TIME,
  DER_SEQUENCE,
  DerReader,
} from '../../../src/formats/der.ts';
import {
  encodeApReplyToken,
  encodeEncApReplyPart,
  encodeKrbErrorToken,
  skewRecoveryData,
} from '../../../src/formats/kerberos/acceptor-messages.ts';
import { decodeKerberosToken, TOK_ID_AP_REP, TOK_ID_KRB_ERROR } from '../../../src/formats/kerberos/kerberos-token.ts';
import { OID_KERBEROS } from '../../../src/formats/object-identifiers.ts';

const time = Date.UTC(2024, 1, 29, 23, 59, 58);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('EncAPRepPart', () => {
  const fields = { time, microseconds: 999_999, subkey: undefined, sequenceNumber: 0x3fff_ffff };

  it('has time, microseconds and number', () => {
    // APPLICATION 27, SEQUENCE, ctime [0], cusec [1], seq-number [3].
    const expected = `7b243022a011180f${Buffer.from('20240229235958Z').toString('hex')}a10502030f423fa30602043fffffff`;
    assert.equal(hex(encodeEncApReplyPart(fields)), expected);
  });

  it('has the key of the acceptor between them', () => {
    const value = Buffer.alloc(32, 0xab);
    const part = encodeEncApReplyPart({ ...fields, subkey: { encryptionType: 18, value } });
    const parts = new DerReader(new DerReader(part).content(applicationTag(27), 'part')).enter(DER_SEQUENCE, 'part');
    parts.content(contextTag(0), 'ctime');
    parts.content(contextTag(1), 'cusec');
    const key = parts.enter(contextTag(2), 'subkey').enter(DER_SEQUENCE, 'subkey');
    assert.equal(key.explicitInteger(contextTag(0), 'keytype'), 18);
    assert.deepEqual(Buffer.from(key.enter(contextTag(1), 'keyvalue').octetString('keyvalue')), value);
    parts.content(contextTag(3), 'seq-number');
    parts.expectEnd('part');
  });

  it('a number of 32 bits is never written as a negative one', () => {
    for (const [number, written] of [
      [0, '020100'],
      [127, '02017f'],
      [128, '02020080'],
      [0x7fff_ffff, '02047fffffff'],
      [0x8000_0000, '02050080000000'],
      [0xffff_ffff, '020500ffffffff'],
    ] as const) {
      assert.ok(hex(encodeEncApReplyPart({ ...fields, sequenceNumber: number })).endsWith(written), String(number));
    }
  });
});

describe('the token with an AP-REP', () => {
  it('has type and ciphertext, and no kvno', () => {
    const cipher = Buffer.alloc(70, 0xcd);
    const { mechanism, tokenId, message } = decodeKerberosToken(encodeApReplyToken(23, cipher));
    assert.deepEqual([mechanism, tokenId], [OID_KERBEROS, TOK_ID_AP_REP]);
    const reply = new DerReader(new DerReader(message).content(applicationTag(15), 'AP-REP'));
    const parts = reply.enter(DER_SEQUENCE, 'AP-REP');
    assert.equal(parts.explicitInteger(contextTag(0), 'pvno'), 5);
    assert.equal(parts.explicitInteger(contextTag(1), 'msg-type'), 15);
    const sealed = parts.enter(contextTag(2), 'enc-part').enter(DER_SEQUENCE, 'enc-part');
    assert.equal(sealed.explicitInteger(contextTag(0), 'etype'), 23);
    assert.deepEqual(Buffer.from(sealed.enter(contextTag(2), 'cipher').octetString('cipher')), cipher);
    sealed.expectEnd('enc-part');
    parts.expectEnd('AP-REP');
  });
});

describe('the token with a KRB-ERROR', () => {
  /** The fields by their tags. */
  function fieldsOf(token: Uint8Array): Map<number, Uint8Array> {
    const { tokenId, message } = decodeKerberosToken(token);
    assert.equal(tokenId, TOK_ID_KRB_ERROR);
    const error = new DerReader(new DerReader(message).content(applicationTag(30), 'KRB-ERROR'));
    const parts = error.enter(DER_SEQUENCE, 'KRB-ERROR');
    error.expectEnd('KRB-ERROR');
    const found = new Map<number, Uint8Array>();
    for (let tag = parts.peek(); tag !== undefined; tag = parts.peek()) {
      found.set(tag & 0x1f, parts.content(tag, 'field'));
    }
    return found;
  }

  /** The components of sname. */
  function componentsOf(serviceName: string): string[] {
    const token = encodeKrbErrorToken({ code: 37, time, realm: 'R', serviceName });
    const name = new DerReader(fieldsOf(token).get(10) ?? new Uint8Array(0)).enter(DER_SEQUENCE, 'sname');
    assert.equal(name.explicitInteger(contextTag(0), 'name-type'), 2);
    const list = name.enter(contextTag(1), 'name-string').enter(DER_SEQUENCE, 'name-string');
    const components: string[] = [];
    while (list.remaining > 0) {
      components.push(Buffer.from(list.content(DER_GENERAL_STRING, 'name')).toString());
    }
    return components;
  }

  it('tells the code, the time of the server, and the service, and nothing else', () => {
    const token = encodeKrbErrorToken({ code: 37, time: time + 123.456, realm: 'REALM', serviceName: 'HTTP/web' });
    const found = fieldsOf(token);
    assert.deepEqual([...found.keys()], [0, 1, 4, 5, 6, 9, 10]);
    const number = (tag: number): number => new DerReader(found.get(tag) ?? new Uint8Array(0)).integer('number');
    assert.deepEqual([number(0), number(1), number(5), number(6)], [5, 30, 123_456, 37]);
    const stime = new DerReader(found.get(4) ?? new Uint8Array(0)).content(DER_GENERALIZED_TIME, 'stime');
    assert.equal(Buffer.from(stime).toString(), '20240229235958Z');
    const realm = new DerReader(found.get(9) ?? new Uint8Array(0)).content(DER_GENERAL_STRING, 'realm');
    assert.equal(Buffer.from(realm).toString(), 'REALM');
  });

  it('has the service in the parts in which the client wrote it', () => {
    assert.deepEqual(componentsOf('HTTP/web.example.com'), ['HTTP', 'web.example.com']);
    assert.deepEqual(componentsOf('krbtgt'), ['krbtgt']);
    assert.deepEqual(componentsOf('a\\/b/c\\\\d'), ['a/b', 'c\\d']);
    assert.deepEqual(componentsOf('one/two/three'), ['one', 'two', 'three']);
  });

  it('microseconds stay below a million, whatever the clock says', () => {
    for (const [offset, expected] of [
      [0, 0],
      [999.5, 999_500],
      [999, 999_000],
    ] as const) {
      const found = fieldsOf(encodeKrbErrorToken({ code: 1, time: time + offset, realm: 'R', serviceName: 'x' }));
      assert.equal(new DerReader(found.get(5) ?? new Uint8Array(0)).integer('susec'), expected);
    }
  });

  it('asks a Windows client to try again with the time of the server', () => {
    // KERB-ERROR-DATA: data-type [1] INTEGER 2, MS-KILE section 2.2.2.
    assert.equal(hex(skewRecoveryData()), '3005a103020102');
    const token = encodeKrbErrorToken({ code: 37, time, realm: 'R', serviceName: 'x', data: skewRecoveryData() });
    const data = new DerReader(fieldsOf(token).get(12) ?? new Uint8Array(0)).octetString('e-data');
    assert.deepEqual(data, skewRecoveryData());
  });
});
