import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { vectors } from './vectors.ts';
import { checksum, decrypt, deriveKey, encrypt } from './aes-sha1.ts';

const hex = (text: unknown): Buffer => Buffer.from(String(text), 'hex');

describe('the Kerberos cryptography that forges tokens for tests', () => {
  for (const { id, inputs, expected } of vectors(/^krb\.dk\.AES/)) {
    it(id, () => assert.equal(deriveKey(hex(inputs['key']), hex(inputs['constant'])).toString('hex'), expected));
  }
  for (const { id, inputs, expected } of vectors(/^krb\.decrypt\.AES\d+_CTS_HMAC_SHA1/)) {
    it(id, () => {
      const plain = decrypt(hex(inputs['key']), Number(inputs['usage']), hex(inputs['ciphertext']));
      assert.equal(plain.toString('hex'), expected);
    });
  }
  it('decrypts what it encrypts', () => {
    for (const size of [0, 1, 15, 16, 17, 31, 32, 33, 500]) {
      const plain = Buffer.alloc(size, 7);
      assert.deepEqual(decrypt(Buffer.alloc(32, 1), 2, encrypt(Buffer.alloc(32, 1), 2, plain)), plain);
    }
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
