import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createAuthenticator, memoryAccounts } from '../src/index.ts';
import type { SspiAuthOptions } from '../src/index.ts';

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

  const refused: readonly (readonly [string, SspiAuthOptions, RegExp])[] = [
    ['Negotiate with nothing', { schemes: ['Negotiate'] }, /schemes.*"Negotiate".*portable/],
    [
      'Negotiate with Kerberos only',
      { schemes: ['Negotiate'], accounts, packages: ['Kerberos'] },
      /"Negotiate".*portable/,
    ],
    ['Negotiate with no keytab', { schemes: ['Negotiate'], provider: 'auto' }, /"keytab" is not given/],
    [
      'Negotiate with a keytab that is none',
      { schemes: ['Negotiate'], provider: 'gssapi', keytab: '/nonexistent' },
      /keytab/,
    ],
    ['Kerberos with no keytab', { schemes: ['Kerberos'], provider: 'gssapi' }, /keytab.*cannot be used/],
    [
      'Kerberos that "packages" leaves out',
      { schemes: ['Kerberos'], packages: ['NTLM'], provider: 'gssapi' },
      /leaves Kerberos out/,
    ],
  ];
  for (const [name, options, message] of refused) {
    it(`refuse at start: ${name}`, () => assert.throws(() => schemes(options), message));
  }
});
