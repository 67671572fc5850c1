import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OptionError } from '../../../src/foundation/errors.ts';
import { digestPackage } from '../../../src/packages/digest/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { TestAccounts } from './digest-server.ts';

const good = { accounts: new TestAccounts([]), realm: 'realm', domain: 'DOMAIN' };
const acquire = (authData: unknown): unknown =>
  Sspi.acquireCredentialsHandle({ package: digestPackage, credentialUse: 'inbound', authData });

describe('DigestAuthData', () => {
  it('takes the least and the most', () => {
    const most = { algorithms: ['MD5'], nonceLifetimeMilliseconds: 1, secret: new Uint8Array(32) };
    const longest = { realm: 'ä'.repeat(256), nonceLifetimeMilliseconds: 86_400_000 };
    for (const authData of [good, { ...good, ...most }, { ...good, ...longest }]) {
      const handle = acquire(authData) as Sspi.CredentialHandle;
      assert.equal(Sspi.freeCredentialsHandle(handle), Sspi.SEC_E_OK);
    }
  });

  const refused: [string, unknown][] = [
    ['authData', undefined],
    ['authData', null],
    ['authData', 'text'],
    ['authData.accounts', { ...good, accounts: undefined }],
    ['authData.accounts', { ...good, accounts: null }],
    ['authData.accounts', { ...good, accounts: 'alice' }],
    ['authData.accounts', { ...good, accounts: { description: 'no function', verifyDigest: true } }],
    ['authData.accounts', { ...good, accounts: { description: 'verifies NTLM only' } }],
    ['authData.realm', { ...good, realm: undefined }],
    ['authData.realm', { ...good, realm: '' }],
    ['authData.realm', { ...good, realm: 'a\r\nb' }],
    ['authData.realm', { ...good, realm: '\ud800' }],
    ['authData.realm', { ...good, realm: 'ä'.repeat(257) }],
    ['authData.domain', { ...good, domain: '' }],
    ['authData.domain', { ...good, domain: 'A\\B' }],
    ['authData.domain', { ...good, domain: 'A\n' }],
    ['authData.domain', { ...good, domain: 7 }],
    ['authData.domain', { ...good, domain: undefined }],
    // Ignored, it would take nonces for longer than was meant.
    ['authData.nonceLifetimeMiliseconds', { ...good, nonceLifetimeMiliseconds: 1000 }],
    ['authData.computerName', { ...good, computerName: 'a.b' }],
    ['authData.dnsDomain', { ...good, dnsDomain: 7 }],
    ['authData.algorithms', { ...good, algorithms: [] }],
    ['authData.algorithms', { ...good, algorithms: ['SHA-1'] }],
    ['authData.algorithms', { ...good, algorithms: ['MD5', 'MD5'] }],
    ['authData.algorithms', { ...good, algorithms: 42 }],
    ['authData.nonceLifetimeMilliseconds', { ...good, nonceLifetimeMilliseconds: 0 }],
    ['authData.nonceLifetimeMilliseconds', { ...good, nonceLifetimeMilliseconds: Number.NaN }],
    ['authData.nonceLifetimeMilliseconds', { ...good, nonceLifetimeMilliseconds: 1.5 }],
    ['authData.nonceLifetimeMilliseconds', { ...good, nonceLifetimeMilliseconds: '1000' }],
    ['authData.nonceLifetimeMilliseconds', { ...good, nonceLifetimeMilliseconds: 86_400_001 }],
    ['authData.nonceLifetimeMilliseconds', { ...good, nonceLifetimeMilliseconds: 1e9 }],
    ['authData.secret', { ...good, secret: new Uint8Array(31) }],
    ['authData.secret', { ...good, secret: 'a text of thirty-one characters' }],
    ['authData.algorithm', { ...good, algorithm: ['MD5'] }],
    // Copied as bytes it would be an empty key.
    ['authData.secret', { ...good, secret: new ArrayBuffer(32) }],
    ['authData.secret', { ...good, secret: null }],
  ];
  for (const [index, [option, authData]] of refused.entries()) {
    it(`names ${option} where it cannot be used (${index})`, () => {
      assert.throws(
        () => acquire(authData),
        (error: unknown) => error instanceof OptionError && error.option === option,
      );
    });
  }

  it('C18: refuses a principal, which no client of Digest could mean', () => {
    const parameters = { package: digestPackage, credentialUse: 'inbound', authData: good } as const;
    assert.throws(() => Sspi.acquireCredentialsHandle({ ...parameters, principal: 'HTTP/web' }), {
      code: 'ERR_SSPI_AUTH_OPTION',
      option: 'principal',
    });
  });

  it('G04: does not print the secret', () => {
    assert.throws(
      () => acquire({ ...good, secret: 'hunter2' }),
      (error: unknown) => error instanceof OptionError && !error.message.includes('hunter2'),
    );
  });
});
