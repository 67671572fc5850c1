/** A Kerberos library that is there and cannot be used: the server does not start, and is told why. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { createAuthenticator, memoryAccounts } from '../../../src/index.ts';
import type { SspiAuthOptions } from '../../../src/index.ts';
import { krb5ConfigurationFault } from '../../../src/native/gssapi/call/krb5-configuration.ts';
import { openFirst, UnusableGssapiError } from '../../../src/native/gssapi/call/library.ts';
import { openLibrary } from '../../../src/native/koffi.ts';
import { gssClientPackages, startGssClient } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, useRealm } from './acceptor.ts';

const ready = await tier('kdc', gssClientPackages);
// Heimdal is there: it must not take the place of MIT krb5.
const readyBesideHeimdal = await tier('heimdal', gssClientPackages);
const accounts = memoryAccounts([{ userName: 'alice', password: 'secret' }]);
const heimdalLocation = { gssapi: 'libgssapi.so.3' };
const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 1000);

/** Lines out of which a krb5.conf is made. */
const lines =
  '[libdefaults]|[realms]*|[a|[a] x| a = b|a= {|}|} x|{|a b = c| = c|junk|# c|; c||  |a =|a = "x"|a = {x|[a]  | [b]|' +
  'a = { |a==b|\ta\t=\tb|a*= b|a = }|[]|[ ]|A.B = 1 2|=|a ={|module x|module /x:y|}*|includes = 1|include|[b]\r|c = d\r';

describe('a krb5.conf that libkrb5 cannot read', readyBesideHeimdal, () => {
  const variable = 'KRB5_CONFIG';
  const whatWas = process.env[variable];
  let folder: ScratchFolder;
  let config: string;
  before(async () => {
    folder = await scratchFolder('krb5-conf');
    config = folder.file('krb5.conf');
    await mkdir(folder.file('included'));
    process.env[variable] = config;
  });
  after(async () => {
    if (whatWas === undefined) Reflect.deleteProperty(process.env, variable);
    else process.env[variable] = whatWas;
    await folder.remove();
  });
  beforeEach(() => writeFile(folder.file('included', 'sound'), '[libdefaults]\n'));

  /** What a start with these options ends with. */
  const refusal = (options: SspiAuthOptions): Error => {
    try {
      createAuthenticator(options).close();
    } catch (error) {
      return error as Error;
    }
    assert.fail('it started');
  };

  const cases: readonly (readonly [string, () => string, RegExp])[] = [
    [
      'a line that is none',
      () => '[libdefaults]\n default_realm = A\n bogus\n',
      /krb5\.conf, line 3: not of the form.*Improper format of Kerberos configuration file/,
    ],
    [
      'a folder that is missing',
      () => `[libdefaults]\n a = b\nincludedir ${folder.file('absent')}\n`,
      /krb5\.conf, line 3: includedir .*absent: ENOENT.*Included profile directory could not be read/,
    ],
    [
      'an included file that is missing',
      () => `include ${folder.file('absent')}\n`,
      /krb5\.conf, line 1: include .*absent: ENOENT.*Included profile file could not be read/,
    ],
    [
      'an included file that cannot be read either',
      () => {
        writeFileSync(folder.file('included', 'sound'), '[realms]\n}\n');
        return `includedir ${folder.file('included')}\n`;
      },
      /included\/sound, line 2: a closing brace.*Improper format/,
    ],
  ];
  for (const [name, content, message] of cases) {
    it(`is told at start with file, line and what libkrb5 says: ${name}`, async () => {
      await writeFile(config, content());
      for (const options of [
        {},
        { keytab: folder.file('absent.keytab') },
        { accounts, schemes: ['Negotiate', 'NTLM'] },
        { library: 'libgssapi_krb5.so.2' },
      ] satisfies SspiAuthOptions[]) {
        const error = refusal(options);
        assert.ok(error instanceof UnusableGssapiError, String(error));
        assert.equal(error.code, 'ERR_SSPI_AUTH_NATIVE_LIBRARY');
        assert.match(error.message, message);
        assert.match(error.message, /Correct that file.*Another library is not taken/);
      }
    });
  }

  it('does not matter where nothing asks for Kerberos', async () => {
    await writeFile(config, '[libdefaults\n');
    createAuthenticator({ accounts }).close();
    createAuthenticator({ accounts, schemes: ['NTLM'] }).close();
  });

  it('is what libkrb5 takes for one, for any lines', () => {
    const libkrb5 = openLibrary('libkrb5.so.3');
    const initContext = libkrb5.func('krb5_init_context', 'int32_t', ['_Out_ void **']);
    const freeContext = libkrb5.func('krb5_free_context', 'void', ['void *']);
    const anyLines = fc.array(fc.constantFrom(...lines.split('|')), { maxLength: 7 });
    fc.assert(
      fc.property(anyLines, fc.boolean(), fc.boolean(), (some, begun, ended) => {
        const text = `${begun ? '[libdefaults]\n' : ''}${some.join('\n')}${ended ? '\n' : ''}`;
        writeFileSync(config, text);
        const context = [null];
        const code = (initContext as unknown as (slot: unknown[]) => number)(context);
        if (code === 0) (freeContext as unknown as (context: unknown) => void)(context[0]);
        // Without a fault it is the files that are told.
        assert.equal(code !== 0, krb5ConfigurationFault() !== config, `${code}: ${JSON.stringify(text)}`);
      }),
      { numRuns },
    );
  });

  it('is not the only thing: a library that is broken itself is not passed over either, one that is absent is', async () => {
    await writeFile(config, '');
    const broken = folder.file('libbroken.so');
    await writeFile(broken, '');
    assert.throws(() => openFirst([{ gssapi: broken }, heimdalLocation]), {
      code: 'ERR_SSPI_AUTH_NATIVE_LIBRARY',
      message: /libbroken\.so is there, but cannot be used .*Another library is not taken/,
    });
    for (const absent of ['libabsent.so.9', folder.file('libabsent.so')]) {
      assert.equal(openFirst([{ gssapi: absent }, heimdalLocation]).implementation, 'Heimdal');
    }
  });
});

describe('a krb5.conf that breaks while the server runs', ready, () => {
  it('is named with its line when a ticket is refused for it, and good again counts at once', async () => {
    await using kdc = await startKdc();
    useRealm(kdc);
    using server = await acceptor({ keytab: kdc.keytab });
    await using client = await startGssClient(await kdc.signIn('alice'));
    const tokens = [await client.initiate(), await client.initiate()] as const;
    assert.equal((await server.verify(tokens[0])).status, 'SEC_E_OK');
    const config = kdc.file('krb5.conf');
    await rename(config, kdc.file('sound.conf'));
    await writeFile(config, `${await readFile(kdc.file('sound.conf'), 'utf8')}}\n`);
    const refused = await server.verify(tokens[1]);
    assert.equal(refused.status, 'SEC_E_INTERNAL_ERROR');
    assert.match(refused.why, /^correct .*krb5\.conf, line \d+: a closing brace.* cannot read its configuration/);
    await rename(kdc.file('sound.conf'), config);
    assert.equal((await server.verify(tokens[1])).status, 'SEC_E_OK');
  });
});
