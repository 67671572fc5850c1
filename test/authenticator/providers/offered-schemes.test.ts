import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createAuthenticator, memoryAccounts } from '../../../src/index.ts';
import type { SspiAuthOptions } from '../../../src/index.ts';
import { ASC_RET_CONNECTION, ASC_RET_INTEGRITY, ASC_RET_REPLAY_DETECT, liveHandles } from '../../../src/sspi/index.ts';

const accounts = memoryAccounts([{ userName: 'alice', password: 'secret' }]);

describe('schemes on a machine without a keytab', () => {
  const variable = 'KRB5_KTNAME';
  let before: string | undefined;
  beforeEach(() => {
    before = process.env[variable];
    process.env[variable] = '/nonexistent/sspi-auth/http.keytab';
  });
  afterEach(() => {
    if (before === undefined) Reflect.deleteProperty(process.env, variable);
    else process.env[variable] = before;
  });

  function schemes(options: SspiAuthOptions): readonly string[] {
    const authenticator = createAuthenticator({ provider: 'portable', ...options });
    try {
      return authenticator.schemes;
    } finally {
      authenticator.close();
    }
  }

  it('with accounts are NTLM and Digest: Negotiate is offered by default only where it has Kerberos', () => {
    assert.deepEqual(schemes({ accounts }), ['NTLM', 'Digest']);
    assert.deepEqual(schemes({ accounts, provider: 'auto' }), ['NTLM', 'Digest']);
  });

  it('have Negotiate over NTLM where it is asked for', () => {
    assert.deepEqual(schemes({ accounts, schemes: ['Negotiate'] }), ['Negotiate']);
    assert.deepEqual(schemes({ accounts, schemes: ['Negotiate'], packages: ['NTLM'] }), ['Negotiate']);
  });

  it('leave Digest out where everybody has to be bound to the channel (C17)', () => {
    assert.deepEqual(schemes({ accounts, channelBinding: 'always' }), ['NTLM']);
  });

  it('leave Digest out where clients have to name the service that they mean (C18)', () => {
    const servicePrincipalNames = ['HTTP/a.example'];
    assert.deepEqual(schemes({ accounts, servicePrincipalNames }), ['NTLM']);
    assert.deepEqual(schemes({ accounts, servicePrincipalNames, schemes: ['NTLM'], provider: 'auto' }), ['NTLM']);
    assert.deepEqual(schemes({ accounts, servicePrincipalNames, packages: ['NTLM'], provider: 'auto' }), ['NTLM']);
  });

  it('leave Digest out where a context must have what Digest never has', () => {
    assert.deepEqual(schemes({ accounts, requiredAttributes: ASC_RET_INTEGRITY | ASC_RET_CONNECTION }), ['NTLM']);
    assert.deepEqual(schemes({ accounts, requiredAttributes: ASC_RET_REPLAY_DETECT }), ['NTLM', 'Digest']);
  });

  it('of accounts are verified by these alone, on Windows as well', () => {
    const { platform } = process;
    Object.defineProperty(process, 'platform', { value: 'win32' });
    try {
      const authenticator = createAuthenticator({ accounts });
      assert.deepEqual(authenticator.schemes, ['NTLM', 'Digest']);
      authenticator.close();
      assert.throws(() => createAuthenticator({ accounts, keytab: '/etc/krb5.keytab' }), /Windows verifies Kerberos/);
      assert.throws(
        () => createAuthenticator({ accounts, packages: ['Kerberos'] }),
        /"packages" needs.*provider 'secur32'/,
      );
    } finally {
      Object.defineProperty(process, 'platform', { value: platform });
    }
  });

  it('C28: are not offered with accounts of which two are one at this server', () => {
    const twice = memoryAccounts([
      { userName: 'alice', password: 'a' },
      { userName: 'alice', domain: 'CORP', password: 'b' },
    ]);
    for (const scheme of ['NTLM', 'Negotiate', 'Digest'] as const) {
      const options: SspiAuthOptions = { accounts: twice, schemes: [scheme] };
      assert.throws(() => schemes({ ...options, domain: 'corp' }), {
        code: 'ERR_SSPI_AUTH_OPTION',
        option: 'accounts[1].userName',
        message: /"corp\\alice" a second time, after accounts\[0\].*Leave one of the two out/,
      });
      assert.deepEqual(schemes({ ...options, domain: 'LAB' }), [scheme]);
    }
  });

  it('that fail to start leave no credential of another behind', () => {
    const before = liveHandles();
    const random = (): never => {
      throw new Error('no entropy');
    };
    assert.throws(() => schemes({ accounts, random }), /no entropy/);
    assert.deepEqual(liveHandles(), before);
  });

  const refused: readonly (readonly [string, SspiAuthOptions, RegExp])[] = [
    ['Negotiate with nothing', { schemes: ['Negotiate'] }, /schemes.*"Negotiate".*"keytab" is not given/],
    [
      'Negotiate with Kerberos only',
      { schemes: ['Negotiate'], accounts, packages: ['Kerberos'] },
      /"Negotiate".*"keytab" is not given/,
    ],
    ['Negotiate with no keytab', { schemes: ['Negotiate'], provider: 'auto' }, /"keytab" is not given/],
    [
      'Negotiate with a keytab that is none',
      { schemes: ['Negotiate'], provider: 'gssapi', keytab: '/nonexistent' },
      /keytab/,
    ],
    ['Kerberos with no keytab', { schemes: ['Kerberos'], provider: 'gssapi' }, /keytab.*cannot be used/],
    ['Digest that cannot be bound', { accounts, schemes: ['Digest'], channelBinding: 'always' }, /"Digest".*bindings/],
    [
      'Digest that signs no messages',
      { accounts, schemes: ['Digest'], requiredAttributes: ASC_RET_INTEGRITY },
      /"Digest".*"requiredAttributes" has bits/,
    ],
    [
      'options of a scheme that is not offered',
      { accounts, schemes: ['NTLM'], digest: { algorithms: ['MD5'] } },
      /"digest" is given, but Digest is not offered.*does not name/,
    ],
    [
      'Digest that is left out for another option',
      { accounts, channelBinding: 'always', digest: { algorithms: ['MD5'] } },
      /"digest" is given.*"channelBinding"/,
    ],
    [
      'a package that is not there',
      { accounts, provider: 'auto', packages: ['Kerberos'] },
      /"packages" needs Kerberos, which nothing here can verify.*keytab/,
    ],
    ['a PAC that never comes', { accounts, provider: 'auto', requirePac: true }, /"requirePac" needs Kerberos.*keytab/],
    [
      'names for tickets that never come',
      { accounts, provider: 'auto', servicePrincipalNames: ['HTTP/a.example'] },
      /"servicePrincipalNames" needs Kerberos/,
    ],
    [
      'Digest, whose clients name no service (C18)',
      { accounts, schemes: ['Digest'], servicePrincipalNames: ['HTTP/a.example'] },
      /"Digest".*"servicePrincipalNames" is given, but clients of Digest name no service/,
    ],
    [
      'Digest that is left out for names of services',
      { accounts, servicePrincipalNames: ['HTTP/a.example'], digest: { algorithms: ['MD5'] } },
      /"digest" is given.*"servicePrincipalNames"/,
    ],
    [
      'a library that is not used',
      { accounts, provider: 'auto', library: 'libgssapi.so.3' },
      /"library" needs Kerberos/,
    ],
    [
      'Kerberos that "packages" leaves out',
      { schemes: ['Kerberos'], packages: ['NTLM'], provider: 'gssapi' },
      /leaves Kerberos out/,
    ],
  ];
  for (const [name, options, message] of refused) {
    // Where the provider is not the portable one Windows has another, and says other things.
    const skip = process.platform === 'win32' && options.provider !== undefined;
    it(`refuse at start: ${name}`, { skip }, () => assert.throws(() => schemes(options), message));
  }
});
