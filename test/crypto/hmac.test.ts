import assert from 'node:assert/strict';
import crypto, { createHmac, getFips, setFips } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hmac } from '../../src/crypto/hmac.ts';
import type { HmacHash } from '../../src/crypto/hmac.ts';

const hashes: readonly HmacHash[] = ['md5', 'sha1', 'sha256', 'sha384'];

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const repeated = (byte: number, count: number): Buffer => Buffer.alloc(count, byte);
const counted = (count: number): Buffer => Buffer.from(Array.from({ length: count }, (_, index) => index + 1));

interface Vector {
  readonly id: string;
  readonly key: Buffer;
  readonly data: Buffer;
  /** Hexadecimal; shorter than the digest where the RFC truncates it. */
  readonly expected: Readonly<Partial<Record<HmacHash, string>>>;
}

const vectors: readonly Vector[] = [
  {
    id: 'RFC 2202 2, case 1',
    key: repeated(0x0b, 16),
    data: Buffer.from('Hi There'),
    expected: { md5: '9294727a3638bb1c13f48ef8158bfc9d' },
  },
  {
    id: 'RFC 2202 2 and 3, case 2; RFC 4231 4.3: a key shorter than the digest',
    key: Buffer.from('Jefe'),
    data: Buffer.from('what do ya want for nothing?'),
    expected: {
      md5: '750c783e6ab0b503eaa86e310a5db738',
      sha1: 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
      sha256: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
      sha384: 'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
    },
  },
  {
    id: 'RFC 2202 2, case 3',
    key: repeated(0xaa, 16),
    data: repeated(0xdd, 50),
    expected: { md5: '56be34521d144c88dbb8c733f0e8b3f6' },
  },
  {
    id: 'RFC 2202 2 and 3, case 4; RFC 4231 4.5',
    key: counted(25),
    data: repeated(0xcd, 50),
    expected: {
      md5: '697eaf0aca3a3aea3a75164746ffaa79',
      sha1: '4c9007f4026250c6bc8414f9bf50c86c2d7235da',
      sha256: '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
      sha384: '3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb',
    },
  },
  {
    id: 'RFC 2202 2, case 5',
    key: repeated(0x0c, 16),
    data: Buffer.from('Test With Truncation'),
    expected: { md5: '56461ef2342edc00f9bab995690efd4c' },
  },
  {
    id: 'RFC 2202 2 and 3, case 6: a key longer than the block',
    key: repeated(0xaa, 80),
    data: Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First'),
    expected: {
      md5: '6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd',
      sha1: 'aa4ae5e15272d00e95705637ce8a3b55ed402112',
    },
  },
  {
    id: 'RFC 2202 2 and 3, case 7: key and data longer than the block',
    key: repeated(0xaa, 80),
    data: Buffer.from('Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data'),
    expected: {
      md5: '6f630fad67cda0ee1fb1f562db3aa53e',
      sha1: 'e8e99d0f45237d786d6bbaa7965c7808bbff1a91',
    },
  },
  {
    id: 'RFC 2202 3, case 1; RFC 4231 4.2',
    key: repeated(0x0b, 20),
    data: Buffer.from('Hi There'),
    expected: {
      sha1: 'b617318655057264e28bc0b6fb378c8ef146be00',
      sha256: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
      sha384: 'afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6',
    },
  },
  {
    id: 'RFC 2202 3, case 3; RFC 4231 4.4',
    key: repeated(0xaa, 20),
    data: repeated(0xdd, 50),
    expected: {
      sha1: '125d7342b9ac11cd91a39af48aa17b4f63f175d3',
      sha256: '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
      sha384: '88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27',
    },
  },
  {
    id: 'RFC 2202 3, case 5; RFC 4231 4.6, truncated to 128 bits',
    key: repeated(0x0c, 20),
    data: Buffer.from('Test With Truncation'),
    expected: {
      sha1: '4c1a03424b55e07fe7f27be1d58bb9324a9a5a04',
      sha256: 'a3b6167473100ee06e0c796c2955552b',
      sha384: '3abf34c3503b2a23a46efc619baef897',
    },
  },
  {
    id: 'RFC 4231 4.7: a key longer than the block of each hash',
    key: repeated(0xaa, 131),
    data: Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First'),
    expected: {
      sha256: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
      sha384: '4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952',
    },
  },
  {
    id: 'RFC 4231 4.8: key and data longer than the block',
    key: repeated(0xaa, 131),
    data: Buffer.from(
      'This is a test using a larger than block-size key and a larger than block-size data. ' +
        'The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    expected: {
      sha256: '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
      sha384: '6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e',
    },
  },
];

/** What OpenSSL's own HMAC gives. */
function byNode(name: HmacHash, key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const whole = createHmac(name, key);
  for (const part of parts) whole.update(part);
  return whole.digest();
}

describe('HMAC', () => {
  for (const { id, key, data, expected } of vectors) {
    for (const [name, digest] of Object.entries(expected)) {
      it(`${name}: ${id}`, () => {
        const made = hmac(name as HmacHash, key, data);
        assert.equal(made.toString('hex').slice(0, digest.length), digest);
      });
    }
  }

  for (const name of hashes) {
    it(`${name}: OpenSSL gives the same at every length where a block or the copied message ends`, () => {
      const bytes = crypto.randomBytes(9000);
      const lengths = [
        0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1000, 8127, 8128, 8129, 8191, 8192, 8193, 9000,
      ];
      for (const keyLength of lengths.slice(0, 12)) {
        for (const length of lengths) {
          const key = bytes.subarray(0, keyLength);
          const message = bytes.subarray(0, length);
          assert.deepEqual(hmac(name, key, message), byNode(name, key, [message]), `${keyLength}, ${length}`);
        }
      }
    });

    it(`${name}: OpenSSL gives the same for any key and any parts, one call after the other`, () => {
      const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
      const parts = fc.array(fc.oneof(bytes(40), bytes(3000)), { maxLength: 4 });
      fc.assert(
        fc.property(bytes(200), parts, (key, message) => {
          const [keyBefore, messageBefore] = [Buffer.from(key), message.map((part) => Buffer.from(part))];
          assert.deepEqual(hmac(name, key, ...message), byNode(name, key, message));
          // Whoever gave them finds them as they were.
          assert.deepEqual(Buffer.from(key), keyBefore);
          assert.deepEqual(
            message.map((part) => Buffer.from(part)),
            messageBefore,
          );
        }),
      );
    });
  }

  it('a result is its own: the next call does not change it', () => {
    const first = hmac('md5', hex('00'), hex('01'));
    const before = Buffer.from(first);
    hmac('md5', hex('02'), hex('03'));
    assert.deepEqual(first, before);
    // Not of the pool that Buffer.from shares with everybody: who wipes it wipes a key.
    assert.equal(first.buffer.byteLength, first.byteLength);
  });
});

describe('HMAC after a hash that failed', () => {
  /** Runs with a `hash` of node:crypto that records the message it is given and fails. */
  function whileHashFails(work: () => void): readonly Uint8Array[] {
    const original = crypto.hash;
    const given: Uint8Array[] = [];
    crypto.hash = ((_: string, data: Uint8Array) => {
      given.push(data);
      throw new Error('no hash');
    }) as typeof original;
    syncBuiltinESMExports();
    try {
      work();
    } finally {
      crypto.hash = original;
      syncBuiltinESMExports();
    }
    return given;
  }

  it('G04: neither key nor message is left in memory, and the next result is right', () => {
    const key = Buffer.from('0123456789abcdef');
    const message = Buffer.from('a message that is a secret');
    const [given] = whileHashFails(() => assert.throws(() => hmac('md5', key, message), /no hash/));
    const left = Buffer.from(given?.buffer ?? new ArrayBuffer(0));
    assert.ok(left.byteLength > 64, 'the place where the message was put together');
    assert.deepEqual(left, Buffer.concat([repeated(0x36, 64), Buffer.alloc(left.byteLength - 64)]));
    assert.deepEqual(hmac('md5', key, message), byNode('md5', key, [message]));
  });
});

describe('HMAC-MD5 where FIPS is in force', () => {
  const asked = (): Buffer => hmac('md5', hex('00'), hex('01'));

  it('is refused by OpenSSL as createHmac is, also where MD5 was in use before', () => {
    assert.equal(getFips(), 0);
    const before = asked();
    setFips(true);
    try {
      let expected: unknown;
      assert.throws(
        () => byNode('md5', hex('00'), [hex('01')]),
        (error) => {
          expected = error;
          return true;
        },
      );
      assert.throws(asked, { code: 'ERR_OSSL_EVP_UNSUPPORTED', message: (expected as Error).message });
    } finally {
      setFips(false);
    }
    assert.deepEqual(asked(), before);
  });
});
