/** tls-server-end-point of certificates that openssl signed in every way. */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedTokenError } from '../../../src/foundation/errors.ts';
import { certificateSignatureHash } from '../../../src/formats/certificate.ts';
import { decodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import { endPointBindings } from '../../../src/crypto/end-point-bindings.ts';
import { selfSigned } from '../../lab/certificates.ts';
import { tier } from '../../lab/tier.ts';

const rsa = ['-newkey', 'rsa:2048'];
const pss = (hash: string): string[] => [...rsa, `-${hash}`, '-sigopt', 'rsa_padding_mode:pss'];
const ec = (curve: string, hash: string): string[] => [
  '-newkey',
  'ec',
  '-pkeyopt',
  `ec_paramgen_curve:${curve}`,
  `-${hash}`,
];

/** Words for openssl, the hash of the signature, and the hash that RFC 5929 section 4.1 makes of it. */
const table: readonly (readonly [
  name: string,
  words: string[],
  signature: string | undefined,
  bindings: string | undefined,
])[] = [
  ['RSA with MD5', [...rsa, '-md5'], 'md5', 'sha256'],
  ['RSA with SHA-1', [...rsa, '-sha1'], 'sha1', 'sha256'],
  ['RSA with SHA-224', [...rsa, '-sha224'], 'sha224', 'sha224'],
  ['RSA with SHA-256', [...rsa, '-sha256'], 'sha256', 'sha256'],
  ['RSA with SHA-384', [...rsa, '-sha384'], 'sha384', 'sha384'],
  ['RSA with SHA-512', [...rsa, '-sha512'], 'sha512', 'sha512'],
  ['RSASSA-PSS with SHA-1', pss('sha1'), 'sha1', 'sha256'],
  ['RSASSA-PSS with SHA-256', pss('sha256'), 'sha256', 'sha256'],
  ['RSASSA-PSS with SHA-384', pss('sha384'), 'sha384', 'sha384'],
  ['RSASSA-PSS with SHA-512', pss('sha512'), 'sha512', 'sha512'],
  ['ECDSA with SHA-1', ec('P-256', 'sha1'), 'sha1', 'sha256'],
  ['ECDSA with SHA-256', ec('P-256', 'sha256'), 'sha256', 'sha256'],
  ['ECDSA with SHA-384', ec('P-384', 'sha384'), 'sha384', 'sha384'],
  ['ECDSA with SHA-512', ec('P-521', 'sha512'), 'sha512', 'sha512'],
  ['Ed25519', ['-newkey', 'ed25519'], undefined, undefined],
  ['Ed448', ['-newkey', 'ed448'], undefined, undefined],
];

describe('tls-server-end-point', await tier('openssl'), () => {
  for (const [name, words, signature, bindings] of table) {
    it(`${name}: ${bindings ?? 'not defined'}`, async () => {
      const { der } = await selfSigned(words);
      assert.equal(certificateSignatureHash(der), signature);
      const encoded = endPointBindings(der);
      if (bindings === undefined) {
        assert.equal(encoded, undefined);
        return;
      }
      const expected = Buffer.concat([Buffer.from('tls-server-end-point:'), createHash(bindings).update(der).digest()]);
      assert.ok(encoded !== undefined);
      assert.deepEqual(Buffer.from(decodeChannelBindings(encoded).applicationData), expected);
    });
  }

  it('every prefix of a certificate is malformed, and no mutation does anything else', async () => {
    const { der } = await selfSigned();
    const signatureAt = new X509Certificate(der).raw.byteLength - 256;
    for (let length = 0; length < signatureAt; length++) {
      assert.throws(() => certificateSignatureHash(der.subarray(0, length)), MalformedTokenError, `${length} bytes`);
    }
    fc.assert(
      fc.property(fc.nat(der.byteLength - 1), fc.nat(255), (at, value) => {
        const changed = Buffer.from(der);
        changed[at] = value;
        try {
          certificateSignatureHash(changed);
        } catch (error) {
          assert.ok(error instanceof MalformedTokenError);
        }
      }),
    );
  });
});
