import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { vectors } from './vectors.ts';
import { checksum, deriveKey } from './aes-sha1.ts';
import { cipherOf } from './ciphers.ts';

const hex = (text: unknown): Buffer => Buffer.from(String(text), 'hex');

describe('the Kerberos cryptography that forges tokens for tests', () => {
  for (const { id, inputs, expected } of vectors(/^krb\.dk\.AES/)) {
    it(id, () => assert.equal(deriveKey(hex(inputs['key']), hex(inputs['constant'])).toString('hex'), expected));
  }
  const types: readonly (readonly [type: number, name: RegExp, keyBytes: number])[] = [
    [17, /^krb\.decrypt\.AES128_CTS_HMAC_SHA1/, 16],
    [18, /^krb\.decrypt\.AES256_CTS_HMAC_SHA1/, 32],
    [19, /^krb\.decrypt\.AES128_CTS_HMAC_SHA256/, 16],
    [20, /^krb\.decrypt\.AES256_CTS_HMAC_SHA384/, 32],
    [23, /^krb\.decrypt\.ARCFOUR/, 16],
  ];
  for (const [type, name, keyBytes] of types) {
    const cipher = cipherOf(type);
    for (const { id, inputs, expected } of vectors(name)) {
      it(id, () => {
        const plain = cipher.decrypt(hex(inputs['key']), Number(inputs['usage']), hex(inputs['ciphertext']));
        assert.equal(plain.toString('hex'), expected);
      });
    }
    it(`type ${type} decrypts what it encrypts`, () => {
      const key = Buffer.alloc(keyBytes, 1);
      for (const size of [0, 1, 15, 16, 17, 31, 32, 33, 500]) {
        const plain = Buffer.alloc(size, 7);
        assert.deepEqual(cipher.decrypt(key, 2, cipher.encrypt(key, 2, plain)), plain);
      }
      assert.throws(() => cipher.decrypt(key, 3, cipher.encrypt(key, 2, Buffer.alloc(40))), /wrong MAC/);
    });
  }

  it('RFC 8009 appendix A: the checksums', () => {
    const data = hex('000102030405060708090a0b0c0d0e0f1011121314');
    const short = cipherOf(19).checksum(hex('3705d96080c17728a0e800eab6e0d23c'), 2, data);
    assert.equal(short.toString('hex'), 'd78367186643d67b411cba9139fc1dee');
    const long = hex('6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52');
    assert.equal(
      cipherOf(20).checksum(long, 2, data).toString('hex'),
      '45ee791567eefca37f4ac1e0222de80d43c3bfa06699672a',
    );
  });

  // Header of RFC 4121 section 4.2.6: TOK_ID, flags, filler or EC and RRC as zero, SND_SEQ; it follows the message.
  for (const [id, message, header] of [
    ['rfc4121.mic.acceptor', 'deadbeef', '040401ffffffffff00000000575e85d6'],
    ['rfc4121.mic.initiator', 'deadbeef', '040400ffffffffff0000000000000000'],
    ['rfc4121.wrap.noconf.initiator', '01010000', '050400ff000000000000000000000000'],
  ] as const) {
    it(id, () => {
      const [vector] = vectors(new RegExp(`^${id}$`));
      const { inputs, expected } = vector!;
      const computed = checksum(hex(inputs['key(aes128)']), Number(inputs['keyUsage']), hex(message + header));
      assert.equal(computed.toString('hex'), expected);
    });
  }
});
