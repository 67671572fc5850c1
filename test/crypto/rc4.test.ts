import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Rc4, rc4 } from '../../src/crypto/rc4.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('RC4', () => {
  /** Key, plain text, cipher text: the original posting, and RFC 6229 section 2 (key stream at offset 0). */
  const cases: readonly (readonly [key: string, plain: string, sealed: string])[] = [
    ['0123456789abcdef', '0123456789abcdef', '75b7878099e0c596'],
    ['4b6579', '506c61696e74657874', 'bbf316e8d940af0ad3'],
    ['57696b69', '7065646961', '1021bf0420'],
    ['0102030405', '00'.repeat(16), 'b2396305f03dc027ccc3524a0a1118a8'],
    ['01020304050607', '00'.repeat(16), '293f02d47f37c9b633f2af5285feb46b'],
    ['0102030405060708090a0b0c0d0e0f10', '00'.repeat(16), '9ac7cc9a609d1ef7b2932899cde41b97'],
  ];
  for (const [key, plain, sealed] of cases) {
    it(`key ${key}`, () => {
      assert.equal(hex(rc4(Buffer.from(key, 'hex'), Buffer.from(plain, 'hex'))), sealed);
    });
  }

  it('runs on over several messages, and a copy runs on by itself', () => {
    const key = Buffer.from('0102030405', 'hex');
    const whole = hex(rc4(key, new Uint8Array(48)));
    const cipher = new Rc4(key);
    const first = hex(cipher.update(new Uint8Array(5)));
    const copy = cipher.copy();
    const rest = hex(cipher.update(new Uint8Array(43)));
    assert.equal(first + rest, whole);
    assert.equal(hex(copy.update(new Uint8Array(43))), rest);
  });
});
