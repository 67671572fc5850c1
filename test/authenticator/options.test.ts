import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { createAuthenticator, memoryAccounts, memoryStore, OptionError, SspiAuthError } from '../../src/index.ts';
import type { Identity, SspiAuthOptions } from '../../src/index.ts';
import { parseOptions } from '../../src/authenticator/options.ts';
import { ASC_RET_INTEGRITY, ASC_RET_NULL_SESSION } from '../../src/sspi/index.ts';

const accounts = memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]);

describe('options', () => {
  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['account', { account: accounts }, /is not an option.*Write "accounts"/],
    ['user', { accounts, user: 'alice' }, /is not an option.*The options are: .*accounts/],
    ['tokenBytes', { accounts, tokenBytes: 5 }, /Write "limits\.tokenBytes"/],
    ['Accounts', { Accounts: accounts }, /Write "accounts"/],
    ['schemes', { accounts, schemes: [] }, /non-empty array/],
    ['schemes', { accounts, schemes: ['Bearer'] }, /has "Bearer"/],
    ['schemes', { accounts, schemes: ['NTLM', 'NTLM'] }, /has a name twice/],
    ['schemes', { accounts, schemes: 'NTLM' }, /is "NTLM"/],
    ['provider', { accounts, provider: 'sspi' }, /is "sspi".*'secur32'/],
    ['domain', { accounts, domain: 'corp.example.com' }, /NetBIOS name/],
    ['domain', { accounts, domain: '' }, /non-empty/],
    ['domain', { accounts, domain: 'SIXTEENCHARACTER' }, /NetBIOS name/],
    ['domain', { accounts, domain: 'CORP\\A' }, /NetBIOS name/],
    ['dnsDomain', { accounts, dnsDomain: 'corp\\example' }, /Give a DNS name/],
    ['dnsDomain', { accounts, dnsDomain: '' }, /non-empty/],
    ['realm', { accounts, realm: 'a\r\nb' }, /control characters/],
    ['channelBinding', { accounts, channelBinding: 'yes' }, /'whenSupported'/],
    ['persistence', { accounts, persistence: 'session' }, /'connection', 'request'/],
    ['anonymous', { accounts, anonymous: 'true' }, /true or false/],
    ['skip', { accounts, skip: '/health' }, /Give a function/],
    ['authorize', { accounts, authorize: true }, /Give a function/],
    ['logger', { accounts, logger: { info: () => undefined } }, /has no method warn/],
    ['accounts', { accounts: [{ userName: 'alice' }] }, /memoryAccounts/],
    ['accounts', { accounts: null }, /is null/],
    ['limits', { accounts, limits: 5 }, /Give an object/],
    ['limits.tokenByte', { accounts, limits: { tokenByte: 5 } }, /is not an option/],
    ['limits.tokenBytes', { accounts, limits: { tokenBytes: 0 } }, /is 0/],
    ['limits.pendingHandshakeBytes', { accounts, limits: { pendingHandshakeBytes: 0 } }, /between 1 and 2147483647/],
    ['limits.identityMilliseconds', { accounts, limits: { identityMilliseconds: 0 } }, /between 1 and 2147483647/],
    ['limits.identityMilliseconds', { accounts, limits: { identityMilliseconds: Infinity } }, /is Infinity/],
    ['accounts.isCurrent', { accounts: { ...accounts, isCurrent: true } }, /is true.*Give a function/],
    ['accounts.close', { accounts: { ...accounts, close: 'now' } }, /Give a function/],
    ['accounts.checkServerNames', { accounts: { ...accounts, checkServerNames: {} } }, /Give a function/],
    ['limits.discardedBodyBytes', { accounts, limits: { discardedBodyBytes: -1 } }, /between 0 and 2147483647/],
    ['limits.handshakeBodyBytes', { accounts, limits: { handshakeBodyBytes: 1.5 } }, /between 0 and 2147483647/],
    ['limits.nativeCalls', { accounts, limits: { nativeCalls: 0 } }, /between 1 and 250/],
    ['limits.nativeCalls', { accounts, limits: { nativeCalls: 251 } }, /between 1 and 250/],
    [
      'limits.nativeCalls',
      { accounts, limits: { nativeCalls: 250 } },
      /is 250, but libuv's pool has \d+ threads.*Start/,
    ],
    ['impersonation', { accounts, impersonation: 'no' }, /true or false/],
    ['impersonation', { accounts, impersonation: true }, /only Windows' own packages can impersonate/],
    ['digest', { accounts, digest: null }, /Give an object with some of: secret, algorithms/],
    ['digest.Secret', { accounts, digest: { Secret: 'x' } }, /Write "digest\.secret"/],
    ['digest.secret', { accounts, digest: { secret: 'Wonderland-7' } }, /Give at least 32 random bytes/],
    ['digest.secret', { accounts, digest: { secret: 7 } }, /is neither bytes nor a string/],
    ['digest.algorithms', { accounts, digest: { algorithms: [] } }, /SHA-256, MD5/],
    ['digest.algorithms', { accounts, digest: { algorithms: ['MD5-sess'] } }, /has "MD5-sess"/],
    [
      'digest.nonceLifetimeMilliseconds',
      { accounts, digest: { nonceLifetimeMilliseconds: 0 } },
      /between 1 and 86400000/,
    ],
    [
      'digest.nonceLifetimeMilliseconds',
      { accounts, digest: { nonceLifetimeMilliseconds: 86_400_001 } },
      /between 1 and 86400000/,
    ],
    ['digest.secret', { accounts, digest: { secret: new Uint8Array(31) } }, /too short/],
    ['limits', { accounts, limits: [] }, /is an array/],
    ['limits.tokenBytes', { accounts, limits: { tokenBytes: NaN } }, /is NaN/],
    ['limits.handshakeMilliseconds', { accounts, limits: { handshakeMilliseconds: Infinity } }, /is Infinity/],
    ['limits.tokenBytes', { accounts, limits: { tokenBytes: 0x80000000 } }, /between 1 and 2147483647/],
    ['requiredAttributes', { accounts, requiredAttributes: NaN }, /is NaN/],
    ['requiredAttributes', { accounts, requiredAttributes: ASC_RET_NULL_SESSION }, /never admitted/],
    ['requiredAttributes', { accounts, requiredAttributes: -1 }, /is -1.*ASC_RET_/],
    ['requiredAttributes', { accounts, requiredAttributes: 0xffffffff }, /never admitted/],
    ['requiredAttributes', { accounts, requiredAttributes: 0x100000000 }, /is 4294967296/],
    ['schemes', { accounts, schemes: [1n] }, /has a value of type bigint/],
    ['accounts', { accounts: { description: 'x', verifyDigest: true } }, /Give an account source/],
    ['clock', { accounts, clock: 5 }, /is 5.*now\(\)/],
    ['clock', { accounts, clock: null }, /is null/],
    ['clock', { accounts, clock: { now: () => 0 } }, /elapsed\(\)/],
    ['clock', { accounts, clock: { elapsed: () => 0 } }, /now\(\)/],
    ['random', { accounts, random: 5 }, /is 5.*size random bytes/],
    ['otherSchemes', { accounts, otherSchemes: 'Bearer' }, /is "Bearer"\. Write \{ Bearer:/],
    ['otherSchemes.Bearer', { accounts, otherSchemes: { Bearer: true } }, /is true\. Write \{ Bearer:/],
    ['otherSchemes.NTLM', { accounts, otherSchemes: { NTLM: 'pass' } }, /verifies itself.*"schemes"/],
    ['otherSchemes.negotiate', { accounts, otherSchemes: { negotiate: () => undefined } }, /verifies itself/],
    ['otherSchemes.a b', { accounts, otherSchemes: { 'a b': 'pass' } }, /not the name of an HTTP scheme/],
    ['otherSchemes.bearer', { accounts, otherSchemes: { Bearer: 'pass', bearer: 'pass' } }, /there twice/],
    ['challenges', { accounts, challenges: 'Bearer' }, /non-empty array of values of WWW-Authenticate/],
    ['challenges[0]', { accounts, challenges: ['Bearer\r\nSet-Cookie: a=b'] }, /Write a value of WWW-Authenticate/],
    ['challenges[1]', { accounts, challenges: ['Bearer', 'NTLM'] }, /offers itself.*"schemes"/],
    ['schemesFor', { accounts, schemesFor: ['NTLM'] }, /Give a function/],
    ['refuse', { accounts, refuse: 'page' }, /is "page"\. Give 'error' or a function/],
    ['refuse', { accounts, refuse: true }, /Give a function/],
    ['enrich', { accounts, enrich: {} }, /Give a function/],
    ['nameFormat', { accounts, nameFormat: 'user@realm' }, /'user@REALM'/],
    ['crossSite', { accounts, crossSite: 'portal.example' }, /origins such as/],
    ['crossSite[0]', { accounts, crossSite: ['https://portal.example/'] }, /origins such as/],
    ['session.secrets', { accounts, session: { secrets: [] } }, /array of secrets/],
    [
      'session.cookie.name',
      { accounts, session: { secrets: ['x'.repeat(32)], cookie: { name: '__Host-a' } } },
      /prefix/,
    ],
    ['session.signInPath', { accounts, session: { secrets: ['x'.repeat(32)], signInPath: 'in' } }, /a path/],
    ['realm', { accounts, realm: 'é'.repeat(257) }, /1 to 512 bytes/],
    ['realm', { accounts, realm: 'half of a pair \ud83d' }, /UTF-8/],
    ['replayCache', { accounts, replayCache: 5 }, /is 5/],
    ['replayCache', { accounts, replayCache: 'file2:/a\nb' }, /control characters/],
    ['store', { accounts, store: 'redis://localhost' }, /is "redis:.*Give redisStore\(\), clusterStore\(\)/],
    ['store', { accounts, store: { claim: () => true } }, /has no function count, set, get, take, delete/],
    ['limits.storeMilliseconds', { accounts, limits: { storeMilliseconds: 0 } }, /between 1 and/],
    ['keytab', { accounts, keytab: 5 }, /is 5\. Give the path of a keytab, its bytes, or kerberosKeys/],
    ['keytab', { accounts, keytab: '' }, /non-empty string/],
    ['store', { accounts, store: 5 }, /is 5\. Give redisStore\(\), clusterStore\(\) or memoryStore\(\)/],
    ['clockSkewMilliseconds', { accounts, clockSkewMilliseconds: -1 }, /is -1\. Give milliseconds from 0/],
    ['requirePac', { accounts, requirePac: 'yes' }, /true or false/],
    ['ignorePac', { accounts, ignorePac: 'yes' }, /true or false/],
    ['logger', { accounts, logger: 'pino' }, /is "pino".*console/],
    ['logger', { accounts, logger: true }, /is true/],
    ['requireMic', { accounts, requireMic: 'yes' }, /true or false/],
    ['servicePrincipalNames', { accounts, servicePrincipalNames: [] }, /non-empty array/],
    ['servicePrincipalNames', { accounts, servicePrincipalNames: 'HTTP/a.example' }, /non-empty array/],
    ['servicePrincipalNames[0]', { accounts, servicePrincipalNames: [undefined] }, /class\/host/],
    ['options', [], /is an array/],
    ['options', new IncomingMessage(new Socket()), /is a request\. Call sspiAuth\(\)/],
  ];
  for (const [option, options, message] of wrong) {
    it(`names the option and the cure: ${option} in ${Object.keys(options).slice(0, 5).join(', ')} (${message.source})`, () => {
      assert.throws(
        () => createAuthenticator(options as SspiAuthOptions),
        (error: unknown) => {
          assert.ok(error instanceof OptionError);
          assert.equal(error.code, 'ERR_SSPI_AUTH_OPTION');
          assert.equal(error.option, option);
          assert.match(error.message, message);
          assert.ok(!error.message.includes('Wonderland-7'));
          return true;
        },
      );
    });
  }

  it('defaults are those that the documentation names', () => {
    const authenticator = createAuthenticator({ accounts });
    const { limits, channelBinding, persistence } = authenticator.settings;
    assert.deepEqual(limits, {
      identityMilliseconds: 28_800_000,
      handshakeMilliseconds: 30_000,
      storeMilliseconds: 2000,
      pendingHandshakes: 10_000,
      pendingHandshakeBytes: 16_777_216,
      tokenBytes: 49_152,
      discardedBodyBytes: 33_554_432,
      handshakeBodyBytes: 33_554_432,
      nativeCalls: undefined,
    });
    assert.deepEqual([channelBinding, persistence], ['whenSupported', 'connection']);
    authenticator.close();
  });

  it('what is given is what counts', () => {
    const given = {
      schemes: ['Digest', 'Negotiate'],
      provider: 'gssapi',
      library: 'libgssapi.so.3',
      packages: ['NTLM', 'Kerberos'],
      requiredAttributes: ASC_RET_INTEGRITY,
      keytab: '/run/app/http.keytab',
      servicePrincipalNames: ['HTTP/a.example', 'HTTP/b.example'],
      accounts,
      domain: 'FIFTEENLETTERS1',
      dnsDomain: 'corp.example',
      realm: 'é'.repeat(256),
      channelBinding: 'always',
      persistence: 'request',
      impersonation: false,
      anonymous: true,
      allowCredSspWithoutTls: true,
      skip: () => false,
      authorize: () => true,
      schemesFor: () => ['Digest'] as const,
      refuse: 'error',
      enrich: (user: Identity) => user,
      nameFormat: 'user',
      crossSite: ['https://portal.example'],
      challenges: ['Bearer realm="api"'],
      logger: console,
      clock: { now: () => 1, elapsed: () => 2 },
      random: (size: number) => new Uint8Array(size),
    } as const;
    const kerberos = {
      requireMic: true,
      requirePac: true,
      ignorePac: true,
      delegate: true,
      allowRc4: false,
      asynchronous: true,
      replayCache: false,
      store: memoryStore(),
      clockSkewMilliseconds: 60_000,
    };
    const digest = { algorithms: ['MD5'], nonceLifetimeMilliseconds: 86_400_000 } as const;
    const limits = {
      identityMilliseconds: 3,
      handshakeMilliseconds: 1,
      storeMilliseconds: 5,
      pendingHandshakes: 2,
      pendingHandshakeBytes: 4,
      tokenBytes: 0x7fffffff,
      discardedBodyBytes: 0,
      handshakeBodyBytes: 0,
      nativeCalls: 250,
    };
    const secret = 'x'.repeat(32);
    const credssp = { cert: 'a certificate', key: 'its key', minVersion: 6 };
    const settings = parseOptions({
      ...given,
      ...kerberos,
      limits,
      credssp,
      digest: { ...digest, secret },
      otherSchemes: { Bearer: 'pass' },
      session: { secrets: [secret], lifetimeMilliseconds: 7 },
    });
    const { computerName, ...others } = settings;
    assert.equal(computerName, parseOptions().computerName);
    const {
      given: names,
      otherSchemes,
      digest: { secret: read, ...digestRead } = {},
      credssp: credsspRead,
      session,
      ...rest
    } = others;
    assert.deepEqual(rest, { ...given, ...kerberos, limits });
    assert.deepEqual(otherSchemes?.get('bearer'), { name: 'Bearer', verify: 'pass' });
    assert.deepEqual(digestRead, digest);
    assert.deepEqual([session?.lifetimeMilliseconds, session?.cookie.secure, session?.secrets.length], [7, true, 1]);
    assert.deepEqual([credsspRead?.cert, credsspRead?.minVersion], [[Buffer.from('a certificate')], 6]);
    assert.equal(Buffer.from(credsspRead?.key?.copy() ?? []).toString(), 'its key');
    assert.deepEqual(read?.copy(), Uint8Array.from(Buffer.from(secret)));
    assert.deepEqual(
      [...names].sort(),
      [
        ...Object.keys(given),
        ...Object.keys(kerberos),
        'credssp',
        'digest',
        'limits',
        'otherSchemes',
        'session',
      ].sort(),
    );
    assert.ok([settings, settings.schemes, settings.packages, settings.limits, settings.digest].every(Object.isFrozen));
    const allButNullSession = (0xffffffff ^ ASC_RET_NULL_SESSION) >>> 0;
    assert.equal(parseOptions({ requiredAttributes: allButNullSession }).requiredAttributes, allButNullSession);
    assert.equal(parseOptions({ requiredAttributes: 0 }).requiredAttributes, 0);
    for (const replayCache of [true, 'file2:/run/app/replay']) {
      assert.equal(parseOptions({ replayCache }).replayCache, replayCache);
    }
  });

  it('what is not given is off, or has the name of this computer', () => {
    const settings = parseOptions();
    const computer = (hostname().split('.', 1)[0] ?? '').replace(/[^A-Za-z0-9-]/g, '').slice(0, 15);
    assert.equal(settings.computerName, computer.toUpperCase() || 'LOCALHOST');
    assert.deepEqual([settings.domain, settings.realm], [settings.computerName, settings.computerName]);
    assert.equal(parseOptions({ domain: 'CORP' }).realm, 'CORP');
    assert.deepEqual([settings.anonymous, settings.requiredAttributes, settings.given], [false, 0, []]);
    assert.equal(settings.dnsDomain, undefined);
    assert.deepEqual(
      [settings.skip, settings.authorize, settings.logger, settings.digest, settings.replayCache, settings.delegate],
      [undefined, undefined, undefined, undefined, undefined, undefined],
    );
    assert.equal(parseOptions({ logger: false }).logger, undefined);
  });

  it('a secret is copied: its caller may wipe it', () => {
    const secret = Buffer.alloc(32, 7);
    const { digest } = parseOptions({ digest: { secret } });
    secret.fill(0);
    assert.deepEqual(digest?.secret?.copy(), new Uint8Array(32).fill(7));
    digest?.secret?.copy().fill(0);
    assert.deepEqual(digest?.secret?.copy(), new Uint8Array(32).fill(7));
  });

  it('refuses a scheme that nothing can verify, saying why', () => {
    const hashed = memoryAccounts([{ userName: 'alice', ntHash: '8846f7eaee8fb117ad06bdd830b7586c' }]);
    assert.throws(() => createAuthenticator({ accounts: hashed, schemes: ['NTLM', 'Digest'] }), {
      code: 'ERR_SSPI_AUTH_OPTION',
      message: /"Digest".*cannot verify Digest/,
    });
  });

  it('offers what an account source can verify', () => {
    const hashed = memoryAccounts([{ userName: 'alice', ntHash: '8846f7eaee8fb117ad06bdd830b7586c' }]);
    for (const [source, schemes] of [
      [accounts, ['NTLM', 'Digest']],
      [hashed, ['NTLM']],
    ] as const) {
      const authenticator = createAuthenticator({ accounts: source, provider: 'portable' });
      assert.deepEqual(
        authenticator.schemes.filter((name) => name === 'NTLM' || name === 'Digest'),
        schemes,
      );
      authenticator.close();
    }
  });

  it('without anything that can verify, says what was looked for', () => {
    assert.throws(
      () => createAuthenticator({ provider: 'portable' }),
      (error: unknown) => {
        assert.ok(error instanceof SspiAuthError);
        assert.equal(error.code, 'ERR_SSPI_AUTH_NO_ACCEPTOR');
        for (const word of ['NTLM', 'Digest', 'accounts', 'memoryAccounts'])
          assert.ok(error.message.includes(word), word);
        return true;
      },
    );
  });

  it('never shows a password in an error', () => {
    assert.throws(
      () => memoryAccounts([{ userName: '', password: 'Wonderland-7' }]),
      (error: unknown) => error instanceof OptionError && !error.message.includes('Wonderland'),
    );
  });
});
