import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { certificateNames, subjectPublicKey } from '../../src/formats/certificate-names.ts';
import { MalformedTokenError } from '../../src/foundation/errors.ts';
import { certificates } from '../vectors/certificates.ts';
import type { CertificateName } from '../vectors/certificates.ts';

const der = (name: CertificateName): Buffer => new X509Certificate(certificates[name].cert).raw;

describe('the names of a certificate', () => {
  it('principal name of the subjectAltName, SID of Active Directory’s extension', () => {
    assert.deepEqual(certificateNames(der('alice')), {
      userPrincipalName: 'alice@test.local',
      sid: 'S-1-5-21-1-2-3-1104',
      dnsNames: [],
      emailAddresses: ['alice@test.local'],
    });
  });

  it('SID as a URI; DNS names; none', () => {
    assert.deepEqual(certificateNames(der('uri')), {
      sid: 'S-1-5-21-1-2-3-1105',
      dnsNames: ['bob.test.local'],
      emailAddresses: [],
    });
    assert.deepEqual(certificateNames(der('ca')), { dnsNames: [], emailAddresses: [] });
  });

  it('two SIDs that differ name nobody', () => {
    assert.throws(() => certificateNames(der('twoSids')), /names two accounts/);
  });

  it('no change of a byte and no cut makes anything but names or a MalformedTokenError', () => {
    const original = der('alice');
    fc.assert(
      fc.property(fc.nat(original.byteLength - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, mask, cut) => {
        const bytes = Buffer.from(original);
        bytes[at] = bytes[at]! ^ mask;
        try {
          certificateNames(cut ? bytes.subarray(0, at) : bytes);
        } catch (error) {
          assert.ok(error instanceof MalformedTokenError, String(error));
        }
      }),
    );
  });
});

describe('the public key of a certificate', () => {
  it('RSAPublicKey, and the point of a curve', () => {
    const rsa = new X509Certificate(certificates.server.cert);
    assert.deepEqual(Buffer.from(subjectPublicKey(rsa.raw)), rsa.publicKey.export({ format: 'der', type: 'pkcs1' }));
    const point = subjectPublicKey(der('serverEc'));
    assert.deepEqual([point.byteLength, point[0]], [65, 4]);
  });
});
