/** What is offered on a machine that has a keytab: of Kerberos, and of what goes with it or must not. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { kerberosKeys, memoryAccounts, memoryStore } from '../../../src/index.ts';
import type { OfferedScheme } from '../../../src/authenticator/offered-scheme.ts';
import { parseOptions } from '../../../src/authenticator/options.ts';
import type { SspiAuthOptions } from '../../../src/authenticator/options.ts';
import { offeredSchemes } from '../../../src/authenticator/providers/offered-schemes.ts';
import { ASC_REQ_DELEGATE, freeCredentialsHandle } from '../../../src/sspi/index.ts';
import { KEYTAB_HEAD, keytabEntry } from '../../lab/kerberos/keytab-entry.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';

const store = memoryStore();
const accounts = memoryAccounts([{ userName: 'alice', password: 'secret' }]);

describe('schemes on a machine with a keytab', { skip: process.platform !== 'linux' }, () => {
  const variable = 'KRB5_KTNAME';
  const whatWas = process.env[variable];
  let folder: ScratchFolder;
  let keytab = '';
  before(async () => {
    folder = await scratchFolder('providers');
    keytab = folder.file('http.keytab');
    writeFileSync(keytab, Buffer.concat([KEYTAB_HEAD, keytabEntry(['HTTP', 'web.example.com'], 'EXAMPLE.COM', 3, 18)]));
    process.env[variable] = keytab;
  });
  after(async () => {
    if (whatWas === undefined) Reflect.deleteProperty(process.env, variable);
    else process.env[variable] = whatWas;
    await folder.remove();
  });

  function offered(options: SspiAuthOptions): readonly Omit<OfferedScheme, 'credential'>[] {
    return offeredSchemes(parseOptions(options)).map(({ credential, ...scheme }) => {
      freeCredentialsHandle(credential);
      return scheme;
    });
  }
  /** Names, and behind those of Negotiate the packages that it may run. */
  const names = (options: SspiAuthOptions): string =>
    offered(options)
      .map(({ name, packages }) => (packages === undefined ? name : `${name} (${packages.join(', ')})`))
      .join(', ');

  const cases: readonly (readonly [string, () => SspiAuthOptions, string])[] = [
    ['nothing but the keytab of the machine', () => ({}), 'Negotiate (Kerberos)'],
    ['a keytab', () => ({ keytab }), 'Negotiate (Kerberos)'],
    ['a keytab and accounts', () => ({ keytab, accounts }), 'Negotiate (Kerberos, NTLM), NTLM, Digest'],
    ['accounts: the keytab of the machine is not looked for', () => ({ accounts }), 'NTLM, Digest'],
    ['accounts and the scheme Negotiate', () => ({ accounts, schemes: ['Negotiate'] }), 'Negotiate (Kerberos, NTLM)'],
    ['accounts and requirePac', () => ({ accounts, requirePac: true }), 'Negotiate (Kerberos, NTLM), NTLM, Digest'],
    [
      'accounts and names of services (C18)',
      () => ({ accounts, servicePrincipalNames: ['HTTP/web.example.com'] }),
      'Negotiate (Kerberos, NTLM), NTLM',
    ],
    [
      'names of services for NTLM alone (C18)',
      () => ({ accounts, schemes: ['Negotiate'], packages: ['NTLM'], servicePrincipalNames: ['HTTP/web.example.com'] }),
      'Negotiate (NTLM)',
    ],
    ['accounts and requireMic', () => ({ accounts, requireMic: true }), 'NTLM, Digest'],
    [
      'a keytab, accounts and requireMic',
      () => ({ keytab, accounts, requireMic: true, schemes: ['Negotiate'] }),
      'Negotiate (Kerberos, NTLM)',
    ],
    [
      'accounts and both packages by name',
      () => ({ accounts, packages: ['Kerberos', 'NTLM'] }),
      'Negotiate (Kerberos, NTLM), NTLM, Digest',
    ],
    [
      'accounts and Kerberos alone (G11)',
      () => ({ keytab, accounts, packages: ['Kerberos'], schemes: ['Negotiate'] }),
      'Negotiate (Kerberos)',
    ],
    ['accounts and NTLM alone', () => ({ accounts, packages: ['NTLM'] }), 'NTLM, Digest'],
    [
      'Kerberos as a scheme of its own',
      () => ({ schemes: ['Kerberos'], servicePrincipalNames: ['HTTP/web.example.com'] }),
      'Kerberos',
    ],
  ];
  for (const [name, options, expected] of cases) {
    it(`for ${name} are ${expected}`, () => assert.equal(names(options()), expected));
  }

  it('without NTLM among the packages have none as a scheme of its own either (G11)', () => {
    assert.ok(!/NTLM/.test(names({ keytab, accounts, packages: ['Kerberos'] })));
    assert.throws(() => names({ accounts, packages: ['Kerberos'], schemes: ['NTLM'] }), /leaves NTLM out/);
    assert.throws(
      () => names({ provider: 'secur32', library: folder.file('none.so'), packages: ['Kerberos'], schemes: ['NTLM'] }),
      /leaves NTLM out/,
    );
  });

  const portable: readonly (readonly [string, () => SspiAuthOptions, string])[] = [
    ['the keytab of the machine', () => ({ provider: 'portable', store }), 'Negotiate (Kerberos)'],
    ['a keytab', () => ({ provider: 'portable', keytab, store }), 'Negotiate (Kerberos)'],
    [
      'a keytab and its replay folder',
      () => ({ provider: 'portable', keytab, replayCache: folder.file('replay') }),
      'Negotiate (Kerberos)',
    ],
    [
      'a keytab without replay cache',
      () => ({ provider: 'portable', keytab, replayCache: false }),
      'Negotiate (Kerberos)',
    ],
    ['accounts alone', () => ({ provider: 'portable', accounts }), 'NTLM, Digest'],
    [
      'a keytab and accounts',
      () => ({ provider: 'portable', keytab, accounts, store }),
      'Negotiate (Kerberos, NTLM), NTLM, Digest',
    ],
    ['the bytes of a keytab', () => ({ keytab: readFileSync(keytab), store }), 'Negotiate (Kerberos)'],
    [
      'a password',
      () => ({
        keytab: kerberosKeys({ realm: 'R', servicePrincipalNames: ['HTTP/w'], account: 'w', password: 'p' }),
        ...{ store, clockSkewMilliseconds: 60_000, schemes: ['Negotiate', 'Kerberos'] },
      }),
      'Negotiate (Kerberos), Kerberos',
    ],
  ];
  for (const [name, options, expected] of portable) {
    it(`without a library for ${name} are ${expected}`, () => {
      assert.equal(names(options()), expected);
      for (const { provider } of offered(options())) assert.equal(provider, 'portable');
    });
  }

  it('say once at start why they are without a library', () => {
    const lines: string[] = [];
    const note = (_: object, message: string): void => void lines.push(message);
    const logger = { info: note, warn: note, error: note };
    names({ keytab: readFileSync(keytab), store, logger, schemes: ['Negotiate', 'Kerberos'] });
    assert.deepEqual(lines, [
      `sspi-auth: Kerberos is this library's own (provider 'portable'), because option "keytab" is no path, which is all that GSSAPI takes`,
    ]);
  });

  it('say who verifies, and ask for delegation where the options do', () => {
    for (const scheme of ['Negotiate', 'Kerberos'] as const) {
      for (const delegate of [undefined, false, true]) {
        const [only, ...others] = offered({ schemes: [scheme], ...(delegate === undefined ? {} : { delegate }) });
        assert.deepEqual([only?.provider, only?.boundTo, others], ['gssapi', 'connection', []]);
        assert.equal(only?.requirements, delegate === true ? ASC_REQ_DELEGATE : 0);
      }
    }
    const [ntlm] = offered({ accounts, schemes: ['Negotiate'], packages: ['NTLM'], requiredAttributes: 5 });
    assert.deepEqual([ntlm?.provider, ntlm?.packages, ntlm?.requiredAttributes], ['portable', ['NTLM'], 5]);
  });

  const refused: readonly (readonly [string, () => SspiAuthOptions, RegExp])[] = [
    [
      'what only GSSAPI has',
      () => ({ keytab, provider: 'portable', asynchronous: true }),
      /"asynchronous".*this library's own, which has no such option\. Leave it out, or use provider 'gssapi'/,
    ],
    [
      'what only the portable provider has: a clock skew',
      () => ({ keytab, clockSkewMilliseconds: 1000 }),
      /"clockSkewMilliseconds".*GSSAPI library, which has no such option\. Leave it out, or use provider 'portable'/,
    ],
    [
      'what only the portable provider has: a store',
      () => ({ keytab, provider: 'gssapi', store: memoryStore() }),
      /"store".*GSSAPI/,
    ],
    [
      'bytes of a keytab for GSSAPI',
      () => ({ keytab: readFileSync(keytab), provider: 'gssapi' }),
      /"keytab" is no path, which is all that GSSAPI takes\. Use provider 'portable'/,
    ],
    [
      'a replay cache of MIT krb5 for the portable provider',
      () => ({ keytab, provider: 'portable', replayCache: 'file2:/run/app/replay' }),
      /"replayCache" is "file2:\/run\/app\/replay", the name of a replay cache of MIT krb5/,
    ],
    [
      'a folder and a store at once',
      () => ({ keytab, provider: 'portable', replayCache: '/run/app/replay', store: memoryStore() }),
      /"replayCache" is given beside "store"/,
    ],
    [
      'a replay folder that cannot be made',
      () => ({ keytab, provider: 'portable', replayCache: folder.file('none', 'replay') }),
      /"replayCache" means the replay folder .*none\/replay, which cannot be made.*"store"/,
    ],
    [
      'a keytab without a key of use for the portable provider',
      () => ({ keytab: folder.file('none'), provider: 'portable', store: memoryStore() }),
      /"keytab" is .*none, which cannot be used \(ENOENT/,
    ],
    [
      'a keytab against "packages"',
      () => ({ keytab, accounts, packages: ['NTLM'] }),
      /"keytab" is given, but option "packages" leaves/,
    ],
    ['a keytab against "schemes"', () => ({ keytab, accounts, schemes: ['NTLM'] }), /"keytab".*neither Negotiate nor/],
    ['a keytab for Windows', () => ({ keytab, provider: 'secur32' }), /"keytab".*Windows verifies Kerberos/],
    [
      'a library that nobody loads',
      () => ({ accounts, provider: 'portable', library: 'x.so' }),
      /"library".*loads no library/,
    ],
    ['NTLM without accounts', () => ({ schemes: ['Negotiate'], packages: ['NTLM'] }), /"accounts" is not given/],
    [
      'both packages without accounts',
      () => ({ schemes: ['Negotiate'], packages: ['Kerberos', 'NTLM'] }),
      /"accounts"/,
    ],
    [
      'a MIC of NTLM that is never verified',
      () => ({ keytab, accounts, packages: ['Kerberos'], requireMic: true }),
      /"requireMic" is given.*NTLM: option "packages" leaves NTLM out/,
    ],
    ['a MIC without accounts', () => ({ keytab, requireMic: true }), /"requireMic".*NTLM: option "accounts"/],
    [
      'a MIC, schemes without NTLM',
      () => ({ accounts, schemes: ['Digest'], requireMic: true }),
      /"requireMic".*"schemes" or "packages" leaves NTLM out/,
    ],
    [
      'channel bindings that a library beside Windows does not enforce (C17)',
      () => ({ provider: 'secur32', library: folder.file('none.so'), channelBinding: 'always' }),
      /"channelBinding".*does not enforce/,
    ],
  ];
  for (const [name, options, message] of refused) {
    it(`refuse at start: ${name}`, () => assert.throws(() => names(options()), message));
  }

  it('on Windows are its own where no accounts are given, and not where another provider is named', () => {
    const { platform } = process;
    Object.defineProperty(process, 'platform', { value: 'win32' });
    try {
      assert.throws(() => names({ library: folder.file('none.dll') }), { code: 'ERR_SSPI_AUTH_NATIVE_LIBRARY' });
      assert.equal(
        names({ provider: 'portable', keytab, accounts, store }),
        'Negotiate (Kerberos, NTLM), NTLM, Digest',
      );
      assert.throws(() => names({ library: folder.file('none.dll'), channelBinding: 'always' }), {
        code: 'ERR_SSPI_AUTH_NATIVE_LIBRARY',
      });
    } finally {
      Object.defineProperty(process, 'platform', { value: platform });
    }
  });
});
