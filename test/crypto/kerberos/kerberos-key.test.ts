import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deriveAesKey } from '../../../src/crypto/kerberos/aes-sha1-key.ts';
import { encryptionProfile } from '../../../src/crypto/kerberos/kerberos-key.ts';
import type { KerberosKey } from '../../../src/crypto/kerberos/kerberos-key.ts';
import { keyOfType } from '../../../src/crypto/kerberos/key-of-type.ts';
import { deriveSha2Key } from '../../../src/crypto/kerberos/aes-sha2-key.ts';
import { vectors } from '../../lab/kerberos/vectors.ts';
import { cipherOf } from '../../lab/kerberos/ciphers.ts';

const hex = (text: unknown): Buffer => Buffer.from(String(text), 'hex');
const types = [17, 18, 19, 20, 23];

function key(
  type: number,
  value: Uint8Array = Buffer.alloc(encryptionProfile(type)?.keyBytes ?? 0, 0x11),
): KerberosKey {
  const made = keyOfType(type, value);
  assert.ok(made !== undefined);
  return made;
}

function confounder(type: number): Uint8Array {
  return Buffer.alloc(encryptionProfile(type)?.confounderBytes ?? 0, 0xc0);
}

describe('keys of Kerberos', () => {
  const names: Readonly<Record<string, number>> = {
    ARCFOUR_HMAC: 23,
    AES128_CTS_HMAC_SHA1_96: 17,
    AES256_CTS_HMAC_SHA1_96: 18,
    AES128_CTS_HMAC_SHA256_128: 19,
    AES256_CTS_HMAC_SHA384_192: 20,
  };
  for (const { id, inputs, expected } of vectors(/^krb\.decrypt\./)) {
    it(`${id} is decrypted, and encrypted to the same bytes`, () => {
      const type = names[id.split('.')[2] ?? ''] ?? 0;
      const made = key(type, hex(inputs['key']));
      const sealed = hex(inputs['ciphertext']);
      assert.equal(made.decrypt(Number(inputs['usage']), sealed)?.toString('hex'), expected);
      // Again: the cipher objects go on with their chains.
      assert.equal(made.decrypt(Number(inputs['usage']), sealed)?.toString('hex'), expected);
    });
  }

  for (const { id, inputs, expected } of vectors(/^krb\.dk\.AES/)) {
    it(id, () => {
      assert.equal(Buffer.from(deriveAesKey(hex(inputs['key']), hex(inputs['constant']))).toString('hex'), expected);
    });
  }

  // RFC 8009 appendix A: the keys of usage 2.
  const sha2: readonly (readonly [type: number, base: string, label: string, bytes: number, derived: string])[] = [
    [19, '3705d96080c17728a0e800eab6e0d23c', '0000000299', 16, 'b31a018a48f54776f403e9a396325dc3'],
    [19, '3705d96080c17728a0e800eab6e0d23c', '00000002aa', 16, '9b197dd1e8c5609d6e67c3e37c62c72e'],
    [19, '3705d96080c17728a0e800eab6e0d23c', '0000000255', 16, '9fda0e56ab2d85e1569a688696c26a6c'],
    [
      20,
      '6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52',
      '0000000299',
      24,
      'ef5718be86cc84963d8bbb5031e9f5c4ba41f28faf69e73d',
    ],
    [
      20,
      '6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52',
      '00000002aa',
      32,
      '56ab22bee63d82d7bc5227f6773f8ea7a5eb1c825160c38312980c442e5c7e49',
    ],
    [
      20,
      '6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52',
      '0000000255',
      24,
      '69b16514e3cd8e56b82010d5c73012b622c4d00ffc23ed1f',
    ],
  ];
  for (const [type, base, label, bytes, derived] of sha2) {
    it(`KDF-HMAC-SHA2 of type ${type}, label ${label}`, () => {
      assert.equal(Buffer.from(deriveSha2Key(type, hex(base), hex(label), bytes)).toString('hex'), derived);
    });
  }
  it('RFC 8009 appendix A: the checksums', () => {
    const data = hex('000102030405060708090a0b0c0d0e0f1011121314');
    const [first, second] = [sha2[0]?.[1], sha2[3]?.[1]];
    assert.equal(key(19, hex(first)).checksum(2, data).toString('hex'), 'd78367186643d67b411cba9139fc1dee');
    assert.equal(
      key(20, hex(second)).checksum(2, data).toString('hex'),
      '45ee791567eefca37f4ac1e0222de80d43c3bfa06699672a',
    );
  });

  // Header of RFC 4121 section 4.2.6 after the message; in a Wrap token EC and RRC are zero for the checksum.
  for (const [id, message, header] of [
    ['rfc4121.mic.acceptor', 'deadbeef', '040401ffffffffff00000000575e85d6'],
    ['rfc4121.mic.initiator', 'deadbeef', '040400ffffffffff0000000000000000'],
    ['rfc4121.wrap.noconf.initiator', '01010000', '050400ff000000000000000000000000'],
  ] as const) {
    it(id, () => {
      const [vector] = vectors(new RegExp(`^${id}$`));
      assert.ok(vector !== undefined);
      const { inputs, expected } = vector;
      const made = key(17, hex(inputs['key(aes128)']));
      // In parts as well: they are one message.
      assert.equal(made.checksum(Number(inputs['keyUsage']), hex(message), hex(header)).toString('hex'), expected);
    });
  }

  for (const type of types) {
    describe(`of type ${type}`, () => {
      it('decrypt what they encrypt, in every length around the blocks', () => {
        const made = key(type);
        for (const size of [0, 1, 15, 16, 17, 31, 32, 33, 47, 48, 49, 500, 9000]) {
          const plain = Buffer.alloc(size, size);
          const sealed = made.encrypt(7, plain, confounder(type));
          assert.deepEqual(made.decrypt(7, sealed), plain);
          assert.equal(made.decrypt(8, sealed), undefined, 'another usage');
          assert.deepEqual(key(type).decrypt(7, sealed), plain, 'another object of the same key');
        }
      });

      it('D08: refuse every altered byte and every shorter text', () => {
        const made = key(type);
        const sealed = made.encrypt(2, Buffer.from('a plain text of some length'), confounder(type));
        for (let at = 0; at < sealed.byteLength; at++) {
          const altered = Buffer.from(sealed);
          altered[at] = (altered[at] ?? 0) ^ 0x40;
          assert.equal(made.decrypt(2, altered), undefined, `byte ${at}`);
          assert.equal(made.decrypt(2, sealed.subarray(0, at)), undefined, `${at} bytes`);
        }
        assert.equal(made.decrypt(2, Buffer.concat([sealed, Buffer.of(0)])), undefined);
        assert.ok(made.decrypt(2, sealed) !== undefined, 'and the true one afterwards');
      });

      it('leave their input as it is', () => {
        const made = key(type);
        const plain = Buffer.from('plain text');
        const sealed = made.encrypt(2, plain, confounder(type));
        const before = Buffer.from(sealed);
        made.decrypt(2, sealed);
        assert.deepEqual([plain.toString(), sealed], ['plain text', before]);
      });

      it('are zero once wiped', () => {
        const made = key(type);
        made.encrypt(2, Buffer.from('x'), confounder(type));
        made.checksum(17, Buffer.from('x'));
        made.wipe();
        assert.ok(made.value.every((byte) => byte === 0));
        made.wipe();
      });

      it('do nothing once wiped: everybody knows a key of zeros', () => {
        const made = key(type);
        const sealed = made.encrypt(2, Buffer.from('x'), confounder(type));
        made.wipe();
        assert.throws(() => made.encrypt(2, Buffer.from('x'), confounder(type)), RangeError);
        assert.throws(() => made.decrypt(2, sealed), RangeError);
        assert.throws(() => made.checksum(17, Buffer.from('x')), RangeError);
      });

      it('have the length of their type and no other', () => {
        const bytes = encryptionProfile(type)?.keyBytes ?? 0;
        for (const size of [0, bytes - 1, bytes + 1]) assert.equal(keyOfType(type, Buffer.alloc(size)), undefined);
      });
    });
  }

  for (const type of types) {
    it(`type ${type} agrees with the cryptography of the test ground`, () => {
      const value = Buffer.alloc(encryptionProfile(type)?.keyBytes ?? 0, 0x33);
      const plain = Buffer.from('the same in both');
      const other = cipherOf(type);
      assert.deepEqual(key(type, value).decrypt(11, other.encrypt(value, 11, plain)), plain);
      assert.deepEqual(other.decrypt(value, 11, key(type, value).encrypt(11, plain, confounder(type))), plain);
      assert.deepEqual(other.checksum(value, 17, plain), key(type, value).checksum(17, plain));
    });
  }

  it('D06: there is no DES and no Camellia', () => {
    for (const type of [1, 2, 3, 16, 24, 25, 26, 0, -1]) {
      assert.equal(encryptionProfile(type), undefined);
      assert.equal(keyOfType(type, Buffer.alloc(16)), undefined);
    }
  });
});
