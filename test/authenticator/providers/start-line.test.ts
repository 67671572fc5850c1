/** The line that says at start what was found and what is offered. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { parseOptions } from '../../../src/authenticator/options.ts';
import { startLine } from '../../../src/authenticator/providers/start-line.ts';
import { createAuthenticator, kerberosKeys, memoryAccounts, memoryStore } from '../../../src/index.ts';
import type { Logger, SspiAuthOptions } from '../../../src/index.ts';
import { KEYTAB_HEAD, keytabEntry } from '../../lab/kerberos/keytab-entry.ts';
import { scratchFolder } from '../../lab/scratch.ts';

interface Line {
  readonly record: Readonly<Record<string, unknown>>;
  readonly message: string;
}

const secret = 'Wonderland-7';
const accounts = memoryAccounts([{ userName: 'alice', password: secret }]);

function linesOf(options: SspiAuthOptions): readonly Line[] {
  const lines: Line[] = [];
  const info: Logger['info'] = (record, message) => void lines.push({ record: { ...record }, message });
  const logger: Logger = {
    info,
    warn: (_, message) => assert.fail(message),
    error: (_, message) => assert.fail(message),
  };
  createAuthenticator({ logger, ...options }).close();
  return lines;
}

describe('the start line', () => {
  it('has accounts, schemes in their order, names and policies, and why a scheme is not offered', async () => {
    const [line, ...more] = linesOf({
      accounts,
      domain: 'LAB',
      digest: { secret: secret.repeat(5) },
      provider: 'gssapi',
      packages: ['NTLM'],
    });
    assert.deepEqual(more, []);
    assert.deepEqual(line, {
      record: {
        schemes: ['NTLM', 'Digest'],
        kerberos: undefined,
        accounts: 'memoryAccounts (1 account)',
        domain: 'LAB',
        realm: 'LAB',
        channelBinding: 'whenSupported',
        persistence: 'connection',
        notOffered: ['Negotiate: option "packages" leaves Kerberos out.'],
      },
      message:
        'sspi-auth: offers NTLM, Digest; accounts: memoryAccounts (1 account); domain LAB; realm LAB; ' +
        'channelBinding whenSupported; persistence connection; ' +
        'not offered: Negotiate: option "packages" leaves Kerberos out.',
    });
    assert.ok(!inspect(line).includes(secret));
  });

  it('accounts with hashes alone: no Digest, and why', () => {
    const hashes = memoryAccounts([{ userName: 'alice', ntHash: '0123456789abcdef0123456789abcdef' }]);
    const [line] = linesOf({ accounts: hashes, provider: 'portable' });
    assert.deepEqual(line?.record['schemes'], ['NTLM']);
    assert.match(line.message, /not offered: Digest: option "accounts" is memoryAccounts \(1 account\), which cannot/);
    assert.doesNotMatch(line.message, /0123456789/);
  });

  it('is silent without a logger', (t) => {
    const emitted = t.mock.method(process, 'emitWarning', () => undefined);
    createAuthenticator({ accounts }).close();
    createAuthenticator({ accounts, logger: false }).close();
    assert.equal(emitted.mock.callCount(), 0);
  });

  it('has a keytab once for each service and version, and five of many', () => {
    const settings = parseOptions({ accounts, domain: 'LAB' });
    const entries = Array.from({ length: 40 }, (_, index) => ({
      ...{ name: `HTTP/host-${index >> 1}.example.com`, realm: 'EXAMPLE.COM', keyVersion: 3 },
      encryptionType: index % 2 === 0 ? 18 : 17,
    }));
    const kerberos = {
      implementation: 'MIT krb5 1.20.1',
      library: 'libgssapi_krb5.so.2',
      keytab: '/etc/x.keytab',
      entries,
      replay: undefined,
    };
    const { record, message } = startLine(settings, { schemes: [], kerberos, missing: [] });
    assert.match(
      String(record.kerberos),
      /^MIT krb5 1\.20\.1 \(libgssapi_krb5\.so\.2\), keytab \/etc\/x\.keytab with HTTP\/host-0\.example\.com@EXAMPLE\.COM kvno 3 \(aes256-cts-hmac-sha1-96, aes128-cts-hmac-sha1-96\), .* and 15 more$/,
    );
    assert.ok(message.includes(String(record.kerberos)));
  });

  it('of Kerberos without a library has the keytab, its names, kvno and types, and where replays are remembered', async () => {
    await using folder = await scratchFolder('start-line');
    const keytab = folder.file('http.keytab');
    const entries = [
      keytabEntry(['HTTP', 'web.example.com'], 'EXAMPLE.COM', 3, 18),
      keytabEntry(['HTTP', 'web.example.com'], 'EXAMPLE.COM', 3, 20),
      keytabEntry(['HTTP', 'web.example.com'], 'EXAMPLE.COM', 7, 18, 70_000),
      // Not a service that is accepted.
      keytabEntry(['host', 'web.example.com'], 'EXAMPLE.COM', 3, 18),
    ];
    await writeFile(keytab, Buffer.concat([KEYTAB_HEAD, ...entries]), { mode: 0o600 });
    const keys =
      'HTTP/web.example.com@EXAMPLE.COM kvno 3 (aes256-cts-hmac-sha1-96, aes256-cts-hmac-sha384-192), ' +
      'HTTP/web.example.com@EXAMPLE.COM kvno 70000 (aes256-cts-hmac-sha1-96)';
    const own = "this library's own (provider 'portable')";
    const password = { realm: 'EXAMPLE.COM', servicePrincipalNames: ['HTTP/w'], account: 'svc-web', password: secret };
    const ofPassword =
      'aes256-cts-hmac-sha384-192, aes128-cts-hmac-sha256-128, aes256-cts-hmac-sha1-96, aes128-cts-hmac-sha1-96';
    const replay = folder.file('replay');
    const rows: readonly (readonly [options: SspiAuthOptions, expected: RegExp | string])[] = [
      [{ keytab, replayCache: replay }, `${own}, keytab ${keytab} with ${keys}, replay folder ${replay}`],
      [{ keytab, replayCache: false }, `${own}, keytab ${keytab} with ${keys}, no replay cache`],
      [
        { keytab: await readFile(keytab), store: memoryStore() },
        /keytab given as bytes with HTTP\/web.*, replays in option "store"$/,
      ],
      [
        { keytab: kerberosKeys(password), replayCache: false },
        `${own}, keytab made from the password of svc-web with HTTP/w@EXAMPLE.COM kvno any (${ofPassword}), no replay cache`,
      ],
    ];
    for (const [options, expected] of rows) {
      const lines = linesOf({ provider: 'portable', ...options });
      const line = lines.find(({ record }) => record['schemes'] !== undefined);
      const kerberos = String(line?.record['kerberos']);
      if (typeof expected === 'string') assert.equal(kerberos, expected);
      else assert.match(kerberos, expected);
      assert.ok(line?.message.includes(`Kerberos: ${kerberos}`));
      // Neither the password nor a key.
      assert.ok(!inspect(lines, { depth: 9 }).includes(secret));
      assert.ok(!inspect(lines, { depth: 9 }).includes('5a5a5a5a'));
    }
  });

  it('A09: is one bounded line whatever an own source calls itself', () => {
    for (const description of [`ldap\r\n\u202e${'x'.repeat(9000)}`, undefined, 7]) {
      const source = { description: description as string, verifyNtlm: () => ({ result: 'refused' as const }) };
      const [line] = linesOf({ accounts: source, provider: 'portable' });
      assert.ok((line?.message.length ?? Infinity) <= 2000);
      // eslint-disable-next-line no-control-regex -- control characters are what is looked for
      assert.doesNotMatch(line?.message ?? '', /[\u0000-\u001f\u202e]/);
    }
  });
});
