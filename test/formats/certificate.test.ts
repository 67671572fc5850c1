/** Signature algorithms as certificates name them. Those of openssl are in test/live/http/certificates.live.test.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { certificateSignatureHash } from '../../src/formats/certificate.ts';
import { derElement } from '../../src/formats/der.ts';
import { MalformedTokenError } from '../../src/foundation/errors.ts';

const oid = (content: string): Uint8Array => derElement(0x06, Buffer.from(content, 'hex'));

/** As much of a certificate as is looked at. */
function certificate(algorithm: string, ...parameters: readonly Uint8Array[]): Uint8Array {
  const signature = derElement(0x30, oid(algorithm), ...parameters);
  // Long enough that its length takes more than one byte.
  return derElement(0x30, derElement(0x30, Buffer.alloc(300)), signature);
}

describe('the hash of a signature algorithm', () => {
  it('is that of RSA, ECDSA and DSA', () => {
    for (const [algorithm, hash] of [
      ['2a864886f70d01010b', 'sha256'],
      ['2a8648ce3d040303', 'sha384'],
      ['2a8648ce380403', 'sha1'],
    ] as const) {
      assert.equal(certificateSignatureHash(certificate(algorithm)), hash);
    }
    assert.equal(certificateSignatureHash(certificate('2b6570')), undefined, 'Ed25519 has none');
  });

  describe('RSASSA-PSS', () => {
    const pss = (...parameters: readonly Uint8Array[]): string | undefined =>
      certificateSignatureHash(certificate('2a864886f70d01010a', ...parameters));
    const hashAlgorithm = (content: string): Uint8Array =>
      derElement(0x30, derElement(0xa0, derElement(0x30, oid(content))), derElement(0xa2, Buffer.of(2, 1, 32)));

    it('is SHA-1 where it names none (RFC 4055 section 3.1)', () => {
      assert.equal(pss(), 'sha1');
      assert.equal(pss(derElement(0x30)), 'sha1');
      assert.equal(pss(derElement(0x30, derElement(0xa2, Buffer.of(2, 1, 20)))), 'sha1');
    });

    it('is the one that it names, and none where that is not known', () => {
      assert.equal(pss(hashAlgorithm('608648016503040201')), 'sha256');
      assert.equal(pss(hashAlgorithm('608648016503040203')), 'sha512');
      assert.equal(pss(hashAlgorithm('60864801650304020a')), undefined);
    });
  });

  it('A03: every prefix is malformed', () => {
    const whole = certificate('2a864886f70d01010b');
    for (let length = 0; length < whole.byteLength; length++) {
      assert.throws(() => certificateSignatureHash(whole.subarray(0, length)), MalformedTokenError, String(length));
    }
  });
});
