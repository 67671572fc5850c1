/** When the scheme CredSSP is offered, and what is said where it cannot be. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAuthenticator, memoryAccounts, OptionError } from '../../../src/index.ts';
import type { SspiAuthOptions } from '../../../src/index.ts';
import { CredSspClient } from '../../packages/credssp/credssp-client.ts';
import { certificates } from '../../vectors/certificates.ts';
import { FakeSocket, exchangeOf } from '../scripted-authenticator.ts';

const accounts = memoryAccounts([{ userName: 'alice', password: 'secret' }]);
const { cert, key } = certificates.server;
const common: SspiAuthOptions = { accounts, provider: 'portable', schemes: ['CredSSP'] };

function schemes(options: SspiAuthOptions): readonly string[] {
  const authenticator = createAuthenticator(options);
  try {
    return authenticator.schemes;
  } finally {
    authenticator.close();
  }
}

describe('CredSSP', () => {
  it('is offered only where it is named', () => {
    assert.deepEqual(schemes({ accounts, provider: 'portable' }), ['NTLM', 'Digest']);
    assert.deepEqual(schemes({ ...common, credssp: { cert, key } }), ['CredSSP']);
    assert.deepEqual(schemes({ ...common, schemes: ['CredSSP', 'NTLM'] }), ['CredSSP', 'NTLM']);
  });

  for (const [what, options, option, cure] of [
    ['a certificate without key', { credssp: { cert } }, 'credssp.key', /credssp\.cert/],
    ['a key without certificate', { credssp: { key } }, 'credssp.key', /Give both/],
    ['PKCS #12 and a certificate', { credssp: { cert, key, pfx: 'x' } }, 'credssp.pfx', /or pfx/],
    ['what is no PKCS #12', { credssp: { pfx: 'x' } }, 'credssp.pfx', /cannot be used/],
    ['what is no certificate', { credssp: { cert: 'x', key: 'y' } }, 'credssp.cert', /cannot be used/],
    ['the key of another', { credssp: { cert, key: certificates.alice.key } }, 'credssp.key', /not that of/],
    ['a version that is not there', { credssp: { cert, key, minVersion: 7 } }, 'credssp.minVersion', /7/],
    ['an unknown option', { credssp: { cert, key, certificate: 'x' } as never }, 'credssp.certificate', /cert/],
    ['channelBinding always (C17)', { channelBinding: 'always' }, 'schemes', /cannot carry channel bindings/],
    ['no accounts', { accounts: undefined }, 'schemes', /"keytab" is not given/],
    [
      'sign-ins for one request, and without TLS',
      { allowCredSspWithoutTls: true, persistence: 'request' },
      'allowCredSspWithoutTls',
      /persistence/,
    ],
    ['its options without it', { schemes: ['NTLM'], credssp: { cert, key } }, 'credssp', /not offered/],
    [
      'its options without it',
      { schemes: ['NTLM'], allowCredSspWithoutTls: true },
      'allowCredSspWithoutTls',
      /offered/,
    ],
  ] as const satisfies readonly (readonly [string, object, string, RegExp])[]) {
    it(`is refused with ${what}`, () => {
      const given = { ...common, ...options } as SspiAuthOptions & { accounts?: undefined };
      if (given.accounts === undefined) delete given.accounts;
      assert.throws(
        () => schemes(given),
        (error) => error instanceof OptionError && error.option === option && cure.test(error.message),
      );
    });
  }

  it('takes delegate for passwords where Kerberos is not there, and not without CredSSP', () => {
    assert.deepEqual(schemes({ ...common, delegate: true, credssp: { cert, key } }), ['CredSSP']);
    assert.throws(() => schemes({ accounts, provider: 'portable', schemes: ['NTLM'], delegate: true }), OptionError);
  });

  it('makes a certificate of an RSA key at start, where none is given', async () => {
    const authenticator = createAuthenticator({ ...common, allowCredSspWithoutTls: true, logger: false });
    try {
      using client = new CredSspClient({ userName: 'alice', domain: 'X', password: 'secret' });
      const socket = new FakeSocket();
      const hello = await client.tls.next();
      const field = `CredSSP ${hello.toString('base64')}`;
      const outcome = await authenticator.authenticate(exchangeOf(socket, field), '/', undefined);
      assert.equal(outcome.type, 'challenge');
      const challenge = outcome.type === 'challenge' ? String(outcome.headers[0]?.[1]) : '';
      await client.tls.next(Buffer.from(challenge.slice('CredSSP '.length), 'base64'));
      const certificate = client.tls.socket.getPeerX509Certificate();
      assert.equal(certificate?.publicKey.asymmetricKeyType, 'rsa');
      assert.equal(certificate?.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
      assert.match(certificate?.subject ?? '', /^CN=CREDSSP-/);
      socket.close();
    } finally {
      authenticator.close();
    }
  });
});
