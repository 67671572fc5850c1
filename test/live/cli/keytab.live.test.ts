/** `sspi-auth keytab` with what others write and read: MIT krb5, Apache's mod_auth_gssapi, Samba's domain. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeKeytabKeys } from '../../../src/formats/kerberos/keytab.ts';
import { startApache } from '../../lab/clients/apache.ts';
import { curl } from '../../lab/curl.ts';
import { debianPython } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { runChecked, runProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import { canMakeNamespaces, startSambaAd } from '../../lab/samba-ad.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('kdc', ['apache2-bin', 'libapache2-mod-auth-gssapi', 'python3']);
const withDomain = await tier('samba-ad', [], canMakeNamespaces);
const terminal = fileURLToPath(new URL('../../lab/terminal.py', import.meta.url));
const program = programWords(new URL('../../../src/cli/sspi-auth.ts', import.meta.url));

/** Runs the command. */
function sspiAuth(words: readonly string[], input = ''): Promise<string> {
  return runChecked(process.execPath, [...program, ...words], { input });
}

/** The keys of a keytab by encryption type, in hexadecimal. */
async function keysOf(path: string, name: string): Promise<Map<number, string>> {
  const keys = decodeKeytabKeys(await readFile(path)).filter((key) => key.name === name);
  return new Map(keys.map(({ encryptionType, value }) => [encryptionType, Buffer.from(value).toString('hex')]));
}

describe('sspi-auth keytab, with MIT krb5', ready, () => {
  const password = 'the pässword of HTTP/localhost';
  let kdc: Kdc;
  let folder: ScratchFolder;
  before(async () => {
    folder = await scratchFolder('keytab-cli');
    kdc = await startKdc({ services: [], encryptionTypes: 'aes256-sha1 aes128-sha1 aes256-sha2 aes128-sha2 rc4-hmac' });
    await kdc.administer([
      `addprinc -pw "${password}" HTTP/localhost`,
      `ktadd -norandkey -k ${folder.file('kdc.keytab')} HTTP/localhost`,
    ]);
  });
  after(async () => {
    await kdc.stop();
    await folder.remove();
  });

  const words = ['--realm', 'TEST.LOCAL', '--account', 'HTTP/localhost', '--service', 'HTTP/localhost'];

  it('makes the keys that the KDC makes of the password, of every type', async () => {
    const file = folder.file('all.keytab');
    const types = ['--types', 'aes256-sha1,aes128-sha1,aes256-sha2,aes128-sha2,rc4'];
    await sspiAuth(['keytab', 'create', file, ...words, ...types], `${password}\n`);
    const expected = await keysOf(folder.file('kdc.keytab'), 'HTTP/localhost');
    assert.equal(expected.size, 5);
    assert.deepEqual(new Map([...(await keysOf(file, 'HTTP/localhost'))].sort()), new Map([...expected].sort()));
  });

  it('writes what klist reads, and lists what ktadd wrote', async () => {
    const file = folder.file('listed.keytab');
    await sspiAuth(['keytab', 'create', file, ...words, '--kvno', '70000'], `${password}\n`);
    const listed = await runChecked('klist', ['-kte', file], { env: kdc.env });
    assert.match(listed, /70000 .* HTTP\/localhost@TEST\.LOCAL \(aes256-cts-hmac-sha1-96\)/);
    assert.match(listed, /70000 .* HTTP\/localhost@TEST\.LOCAL \(aes128-cts-hmac-sha1-96\)/);
    const ours = await sspiAuth(['keytab', 'list', folder.file('kdc.keytab')]);
    assert.match(ours, /: 5 keys\n/);
    assert.match(ours, /1 {5}aes256-cts-hmac-sha384-192 {2}20\d\d-.*Z {2}HTTP\/localhost@TEST\.LOCAL\n/);
    assert.match(ours, /arcfour-hmac .*weak/);
    for (const key of (await keysOf(folder.file('kdc.keytab'), 'HTTP/localhost')).values()) {
      assert.ok(!ours.includes(key));
    }
  });

  it('writes what kinit signs in with', async () => {
    const file = folder.file('kinit.keytab');
    await sspiAuth(['keytab', 'create', file, ...words], `${password}\n`);
    const env = { ...kdc.env, KRB5CCNAME: `FILE:${folder.file('tickets')}` };
    await runChecked('kinit', ['-k', '-t', file, 'HTTP/localhost'], { env });
  });

  for (const kvno of ['1', 'any']) {
    it(`writes what Apache's mod_auth_gssapi accepts tickets with: kvno ${kvno}`, async () => {
      const keytab = folder.file(`apache-${kvno}.keytab`);
      await sspiAuth(['keytab', 'create', keytab, ...words, '--kvno', kvno], `${password}\n`);
      await using apache = await startApache({ keytab, env: { ...kdc.env, KRB5_KTNAME: `FILE:${keytab}` } });
      const env = await kdc.signIn('alice');
      const { responses, body } = await curl(
        ['--negotiate', '-u', ':', `http://localhost:${apache.port('kerberos')}/sign-in/`],
        { env },
      );
      assert.equal(responses.at(-1)?.status, 200);
      assert.ok(body.includes(apache.page));
    });
  }

  describe('at a terminal', () => {
    /** What a terminal shows of the command while somebody types. */
    const typed = (file: string, ...answers: readonly (readonly [shown: string, typed: string])[]) => {
      const command = [process.execPath, ...program, 'keytab', 'create', file, ...words];
      return runProcess(debianPython, [terminal, JSON.stringify(answers), ...command], { timeout: 60_000 });
    };

    it('asks twice for the password and shows nothing of it', async () => {
      const file = folder.file('typed.keytab');
      // An erased letter, as a terminal in raw mode sends it.
      const answers = [
        ['Password: ', `x\u007f${password}\r`],
        ['Again: ', `${password}\r`],
      ] as const;
      const { code, stdout } = await typed(file, ...answers);
      assert.equal(code, 0, stdout);
      assert.match(stdout, /Password: \r?\nAgain: \r?\n/);
      for (const part of [password, 'the p', 'localhost\r\nAgain']) assert.ok(!stdout.includes(part), stdout);
      const expected = await keysOf(folder.file('kdc.keytab'), 'HTTP/localhost');
      for (const [type, key] of await keysOf(file, 'HTTP/localhost')) assert.equal(key, expected.get(type));
    });

    it('writes nothing if the two differ, or if it is ended by Ctrl-C', async () => {
      for (const [answers, message] of [
        [
          [
            ['Password: ', 'one\r'],
            ['Again: ', 'two\r'],
          ],
          /the two passwords differ; nothing was written/,
        ],
        [[['Password: ', 'one\u0003']], /no password was given; nothing was written/],
      ] as const) {
        const file = folder.file('untyped.keytab');
        const { code, stdout } = await typed(file, ...answers);
        assert.equal(code, 1, stdout);
        assert.match(stdout, message);
        await assert.rejects(readFile(file), /ENOENT/);
      }
    });
  });

  it('refuses to overwrite, with code 1, and without a password', async () => {
    const file = folder.file('twice.keytab');
    const run = (input: string): ReturnType<typeof runProcess> =>
      runProcess(process.execPath, [...program, 'keytab', 'create', file, ...words], { input });
    const empty = await run('\n');
    assert.deepEqual([empty.code, empty.stderr], [1, 'sspi-auth: no password was given; nothing was written\n']);
    assert.equal((await run(password)).code, 0);
    const second = await run(password);
    assert.deepEqual([second.code, second.stdout], [1, '']);
    assert.match(second.stderr, /twice\.keytab is there already; give --force to replace it/);
  });
});

describe('sspi-auth keytab, with the salts of Active Directory', withDomain, () => {
  it('makes the keys that the domain exports: of an account, of one with a userPrincipalName, of a computer', async () => {
    await using domain = await startSambaAd();
    await using folder = await scratchFolder('keytab-domain');
    const tool = (...words: readonly string[]): Promise<string> => domain.namespace.runChecked('samba-tool', words);
    const password = 'Serv1ce-Passw0rd!';
    const upn = 'HTTP/upn.corp.example.test';
    await tool('user', 'create', 'Svc-Mixed', password);
    await tool('user', 'create', 'svc-upn', password);
    await tool('user', 'rename', 'svc-upn', `--upn=${upn}@corp.example.test`);
    await tool('user', 'setpassword', 'svc-upn', `--newpassword=${password}`);
    await tool('computer', 'create', 'WEB1');
    await tool('user', 'setpassword', 'WEB1$', `--newpassword=${password}`);
    const rows = [
      ['Svc-Mixed', 'Svc-Mixed'],
      ['svc-upn', `${upn}@corp.example.test`],
      ['WEB1$', 'WEB1$'],
    ] as const;
    for (const [exported, account] of rows) {
      const theirs = folder.file('theirs.keytab');
      await tool('domain', 'exportkeytab', theirs, `--principal=${exported}`);
      const words = ['--realm', domain.realm, '--account', account, '--service', 'HTTP/x', '--force'];
      const said = await sspiAuth(['keytab', 'create', folder.file('ours.keytab'), ...words], password);
      const expected = await keysOf(theirs, exported);
      const made = await keysOf(folder.file('ours.keytab'), 'HTTP/x');
      assert.deepEqual([made.get(18), made.get(17)], [expected.get(18), expected.get(17)], `${exported}: ${said}`);
      await runChecked('rm', [theirs]);
    }
  });
});
