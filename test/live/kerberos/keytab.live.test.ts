import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, rename, writeFile } from 'node:fs/promises';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { describe, it, mock } from 'node:test';
import { OptionError, SspiAuthError } from '../../../src/foundation/errors.ts';
import { detectKerberos } from '../../../src/native/gssapi/index.ts';
import type { KerberosAuthData } from '../../../src/native/gssapi/index.ts';
import { cutTicket } from '../../lab/kerberos/ap-request-tickets.ts';
import { startKdc } from '../../lab/kdc.ts';
import { runChecked } from '../../lab/process.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, portable, useRealm } from './acceptor.ts';
import { startGssClient } from '../../lab/gss-client.ts';
import type { GssClient } from '../../lab/gss-client.ts';

const gssapis = [
  { ...mit, ready: await tier('kdc', ['python3-gssapi']) },
  { ...heimdal, ready: await tier('heimdal', ['python3-gssapi']) },
  { ...portable, ready: await tier('kdc', ['python3-gssapi']) },
];

for (const { name, library, ready } of gssapis)
  describe(`the keytab of the Kerberos package, ${name}`, ready, () => {
    it('D09: a new key version is told from a missing key, and counts as soon as it is exported', async () => {
      await using kdc = await startKdc();
      useRealm(kdc);
      using server = await acceptor({ keytab: kdc.keytab, library });
      await using before = await startGssClient(await kdc.signIn('alice'));
      assert.equal((await server.verify(await before.initiate())).status, 'SEC_E_OK');

      await kdc.administer(['cpw -randkey HTTP/localhost']);
      await using after = await startGssClient(await kdc.signIn('alice'));
      const refused = await server.verify(await after.initiate());
      assert.notEqual(refused.status, 'SEC_E_OK');
      assert.match(refused.why, /key version \(kvno\) 3, but the keytab .*http\.keytab has kvno 2/);
      assert.equal((await server.verify(await before.initiate())).status, 'SEC_E_OK');

      // As an administrator does: the file grows by the newest keys, and the old ones stay for old tickets.
      await kdc.administer([`ktadd -norandkey -k ${kdc.keytab} HTTP/localhost`]);
      assert.equal((await server.verify(await after.initiate())).status, 'SEC_E_OK');
      assert.equal((await server.verify(await before.initiate())).status, 'SEC_E_OK');
    });

    it('D17: one that others can read or change is warned of once, with the cure', async () => {
      await using kdc = await startKdc();
      useRealm(kdc);
      const warnings: string[] = [];
      const keytab = kdc.keytab;
      const onWarning = (text: string): void => void warnings.push(text);
      for (const [mode, what] of [
        [0o600, undefined],
        [0o640, undefined],
        [0o644, 'read by every user of this machine'],
        [0o660, 'changed by its group'],
        [0o666, 'read and changed by every user of this machine'],
      ] as const) {
        await chmod(keytab, mode);
        warnings.length = 0;
        using server = await acceptor({ keytab, library, onWarning });
        await using client = await startGssClient(await kdc.signIn('alice'));
        assert.equal((await server.verify(await client.initiate())).status, 'SEC_E_OK');
        const expected = what === undefined ? [] : [`it can be ${what}: chmod 600 ${keytab}`];
        const found = warnings.filter((text) => text.includes(keytab));
        assert.deepEqual(
          found.map((text) => text.replace(/^.*, and (?=it can)/, '')),
          expected,
        );
      }
    });

    it('keys change under load: no ticket is refused before, while or after', async () => {
      await using kdc = await startKdc();
      useRealm(kdc);
      for (const asynchronous of [false, true]) {
        using server = await acceptor({ keytab: kdc.keytab, asynchronous, library });
        const results: string[] = [];
        let done = false;
        // Their tickets are of the first key: one fetched between change and export could not be verified by anybody.
        await using one = await startGssClient(await kdc.signIn('bob'));
        await using two = await startGssClient(await kdc.signIn('bob'));
        for (const client of [one, two]) results.push((await server.verify(await client.initiate())).status);
        const load = async (client: GssClient): Promise<void> => {
          while (!done) results.push((await server.verify(await client.initiate())).status);
        };
        const running = [load(one), load(two)];
        for (let round = 0; round < 3; round++) {
          // Exported in one step with the change, into a copy that takes the file's place.
          const next = kdc.file(`next-${round}.keytab`);
          await copyFile(kdc.keytab, next);
          await kdc.administer([`ktadd -k ${next} HTTP/localhost`]);
          await rename(next, kdc.keytab);
          await using client = await startGssClient(await kdc.signIn('alice'));
          for (let index = 0; index < 20; index++) results.push((await server.verify(await client.initiate())).status);
        }
        done = true;
        await Promise.all(running);
        assert.ok(results.length > 60, `${results.length} results`);
        assert.deepEqual([...new Set(results)], ['SEC_E_OK']);
      }
    });

    it('a keytab that is away or broken for a moment leaves the old keys, and the log says so', async () => {
      await using kdc = await startKdc();
      useRealm(kdc);
      using server = await acceptor({ keytab: kdc.keytab, library });
      await using client = await startGssClient(await kdc.signIn('alice'));
      await rename(kdc.keytab, kdc.file('away'));
      await writeFile(kdc.keytab, 'half a file');
      // The ticket is cut, not the authenticator: only then a new key could help.
      const refused = await server.verify(cutTicket(await client.initiate(), 100));
      assert.match(refused.why, /^put a keytab back at .*it has changed and cannot be loaded/);
      assert.equal((await server.verify(await client.initiate())).status, 'SEC_E_OK');
      await rename(kdc.file('away'), kdc.keytab);
      assert.equal((await server.verify(await client.initiate())).status, 'SEC_E_OK');
      const later = cutTicket(await client.initiate(), 100);
      assert.doesNotMatch(
        (await server.verify(later)).why,
        /has changed and cannot be loaded/,
        'the file is the old one again',
      );
    });

    it('clients that send refused tickets all the time do not have the file checked each time', async () => {
      await using kdc = await startKdc();
      useRealm(kdc);
      let elapsed = 0;
      const clock = { now: () => Date.now(), elapsed: () => elapsed };
      using server = await acceptor({ keytab: kdc.keytab, library, clock });
      await using client = await startGssClient(await kdc.signIn('alice'));
      const altered = cutTicket(await client.initiate(), 100);
      const counted = async (times: number): Promise<{ checks: number; reads: number }> => {
        const [stat, read] = [mock.method(fs, 'statSync'), mock.method(fs, 'readFileSync')];
        syncBuiltinESMExports();
        for (let time = 0; time < times; time++) assert.notEqual((await server.verify(altered)).status, 'SEC_E_OK');
        const of = ({ mock: { calls } }: typeof stat | typeof read): number =>
          calls.filter(({ arguments: [path] }) => path === kdc.keytab).length;
        const counts = { checks: of(stat), reads: of(read) };
        mock.restoreAll();
        syncBuiltinESMExports();
        return counts;
      };
      assert.deepEqual(await counted(50), { checks: 10, reads: 0 });
      await rename(kdc.keytab, kdc.file('away'));
      await writeFile(kdc.keytab, 'half a file');
      // The budget has five more after half a second. The broken file is read once, after one more look at it.
      elapsed = 500;
      assert.deepEqual(await counted(50), { checks: 6, reads: 1 });
      // A second later it is read again, by the regular check.
      elapsed = 1500;
      assert.deepEqual(await counted(50), { checks: 12, reads: 1 });
      await rename(kdc.file('away'), kdc.keytab);
      assert.equal((await server.verify(await client.initiate())).status, 'SEC_E_OK');
    });

    it('a keytab without the encryption type of the ticket is named with it', async () => {
      await using kdc = await startKdc();
      useRealm(kdc);
      await kdc.administer([`ktadd -norandkey -k ${kdc.file('all.keytab')} HTTP/localhost`]);
      await runChecked('ktutil', [], {
        env: kdc.env,
        // Entry 1 is the AES-256 key, entry 2 the AES-128 key.
        input: `rkt ${kdc.file('all.keytab')}\ndelent 1\nwkt ${kdc.file('weak.keytab')}\nquit\n`,
      });
      using server = await acceptor({ keytab: kdc.file('weak.keytab'), library });
      await using client = await startGssClient(await kdc.signIn('alice'));
      const refused = await server.verify(await client.initiate());
      assert.notEqual(refused.status, 'SEC_E_OK');
      assert.match(refused.why, /has no aes256-cts-hmac-sha1-96 key for HTTP\/localhost@TEST\.LOCAL/);
    });

    // Without a library, options are those of another table: test/packages/kerberos/.
    if (name !== portable.name)
      it('unusable options are refused at start, with the option and the cure', async () => {
        await using kdc = await startKdc({ services: ['HTTP/localhost', 'host/localhost'] });
        useRealm(kdc);
        await kdc.administer([`ktadd -norandkey -k ${kdc.file('host.keytab')} host/localhost`]);
        await writeFile(kdc.file('garbage'), 'no keytab');
        await writeFile(kdc.file('empty'), '');
        await mkdir(kdc.file('folder'));
        type Case = readonly [
          options: Partial<Record<keyof KerberosAuthData, unknown>>,
          option: string,
          message: RegExp,
        ];
        const cases: Case[] = [
          [{ keytab: kdc.file('absent') }, 'keytab', /absent, which cannot be used .*ENOENT/],
          [{ keytab: kdc.file('folder') }, 'keytab', /EISDIR/],
          [{ keytab: kdc.file('garbage') }, 'keytab', /file format version/],
          [{ keytab: kdc.file('empty') }, 'keytab', /cannot be used/],
          [
            { keytab: kdc.file('host.keytab') },
            'keytab',
            /no key for HTTP\/\* \(it has host\/localhost@TEST\.LOCAL kvno 2.*ktadd/,
          ],
          [{ keytab: 'MEMORY:x' }, 'keytab', /is not a file/],
          [{ keytab: 7 }, 'keytab', /is 7.*non-empty string/],
          [{ servicePrincipalNames: ['HTTP/elsewhere'] }, 'keytab', /no key for HTTP\/elsewhere/],
          [{ servicePrincipalNames: ['localhost'] }, 'servicePrincipalNames[0]', /class\/host/],
          [{ servicePrincipalNames: [] }, 'servicePrincipalNames', /non-empty array of names/],
          [{ replayCache: 'memory' }, 'replayCache', /file2:/],
          [{ requirePac: 'yes' }, 'requirePac', /true or false/],
        ];
        // Heimdal takes no such name at all.
        if (name === 'MIT krb5') {
          cases.push(
            [{ replayCache: `file2:${kdc.file('absent')}/replay` }, 'replayCache', /ENOENT.*folder that exists/],
            [{ replayCache: `file2:${kdc.file('garbage')}/replay` }, 'replayCache', /ENOTDIR/],
            [{ replayCache: `file2:${kdc.file('folder')}` }, 'replayCache', /EISDIR/],
          );
        }
        for (const [options, option, message] of cases) {
          const authData = { keytab: kdc.keytab, library, ...options } as KerberosAuthData;
          await assert.rejects(acceptor(authData), (error: unknown) => {
            assert.ok(error instanceof OptionError, String(error));
            assert.equal(error.option, `authData.${option}`);
            assert.match(error.message, message);
            return true;
          });
        }
        await assert.rejects(acceptor({ keytab: kdc.keytab, library: 'libabsent.so.9' }), (error: unknown) => {
          assert.ok(error instanceof SspiAuthError, String(error));
          assert.equal(error.code, 'ERR_SSPI_AUTH_NATIVE_LIBRARY');
          assert.match(error.message, /libabsent\.so\.9.*libgssapi-krb5-2/s);
          return true;
        });

        // What a machine without options has.
        process.env['KRB5_KTNAME'] = kdc.keytab;
        assert.deepEqual(detectKerberos(), {
          available: true,
          keytab: kdc.keytab,
          lookedFor: `KRB5_KTNAME ${kdc.keytab} has an HTTP key`,
        });
        process.env['KRB5_KTNAME'] = kdc.file('host.keytab');
        assert.match(detectKerberos().lookedFor, /has no key of an HTTP service \(it has host\/localhost/);
        process.env['KRB5_KTNAME'] = kdc.file('absent');
        assert.match(detectKerberos().lookedFor, /cannot be read \(ENOENT/);
        process.env['KRB5_KTNAME'] = 'MEMORY:x';
        assert.equal(detectKerberos().available, false);
      });
  });
