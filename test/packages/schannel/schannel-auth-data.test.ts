/** Options of Schannel that cannot be used, each with the option's name and a cure; and its credential. */
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { schannelPackage } from '../../../src/packages/schannel/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { certificates } from '../../vectors/certificates.ts';
import { data, part, SchannelServer } from './schannel-server.ts';

const { cert, key } = certificates.server;
const acquire = (authData: unknown): Sspi.CredentialHandle =>
  Sspi.acquireCredentialsHandle({
    package: schannelPackage,
    credentialUse: 'inbound',
    authData,
  }) as Sspi.CredentialHandle;

describe('authData of Schannel', () => {
  for (const [name, authData, message] of [
    ['nothing', undefined, /"authData" is missing/],
    ['no certificate', {}, /"authData\.cert" is missing.*cert and key, or pfx/],
    ['no key', { cert }, /"authData\.key" is missing/],
    ['both forms', { cert, key, pfx: 'x' }, /"authData\.pfx" is given beside/],
    ['a certificate that is none', { cert: 'x', key }, /"authData\.cert" cannot be used \(ERR_/],
    ['a certificate of another type', { cert: 7, key }, /"authData\.cert" is not a certificate/],
    ['the key of another', { cert, key: certificates.alice.key }, /"authData\.key" is not that of cert/],
    [
      'a PKCS #12 without its passphrase',
      { pfx: Buffer.from(certificates.pfx, 'base64') },
      /"authData\.pfx" cannot be/,
    ],
    ['ciphers that do not exist', { cert, key, ciphers: 'ROT13' }, /cannot be used \(ERR_SSL_NO_CIPHER_MATCH\)/],
    ['a version that is over', { cert, key, minVersion: 'TLSv1.1' }, /"authData\.minVersion" is "TLSv1\.1"/],
    ['versions the wrong way round', { cert, key, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, /above maxVersion/],
    ['an option that is none', { cert, key, certificate: cert }, /"authData\.certificate" is not an option/],
  ] as const) {
    it(`${name} is an error with a cure`, () => {
      assert.throws(
        () => acquire(authData),
        (error: Error) => {
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /PRIVATE|opens/);
          return true;
        },
      );
    });
  }

  it('a key that a passphrase opens', () => {
    const encrypted = createPrivateKey(key).export({
      ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'opens' },
    } as const);
    Sspi.freeCredentialsHandle(acquire({ cert, key: encrypted, passphrase: 'opens' }));
    assert.throws(() => acquire({ cert, key: encrypted, passphrase: 'wrong' }), /"authData\.cert" cannot be used/);
  });

  it('a credential that was freed is SEC_E_NO_CREDENTIALS, and its contexts go on', async () => {
    const credential = acquire({ cert, key });
    assert.equal(Sspi.freeCredentialsHandle(credential), Sspi.SEC_E_OK);
    const result = await Sspi.acceptSecurityContext({
      ...{ credential, context: undefined, input: [], requirements: 0, targetDataRep: 0 },
    });
    assert.equal(Sspi.statusName(result.status), 'SEC_E_NO_CREDENTIALS');
    const server = new SchannelServer({ cert, key });
    using established = await server.establish();
    server[Symbol.dispose]();
    const message = [data(await established.client.send('still here'))];
    const opened = await Sspi.decryptMessage(established.context, message);
    assert.equal(part(opened.value, Sspi.SECBUFFER_DATA).toString(), 'still here');
  });
});
