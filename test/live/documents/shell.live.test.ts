/** Commands and configuration of Kerberos, Samba and OpenSSL that the documents show, run as they stand on files of the test's own. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sspiAuth } from '../../../adapters/node.ts';
import { memoryAccounts, recommendedServerOptions, smbpasswdFile } from '../../../src/index.ts';
import { replaced } from '../../lab/configured.ts';
import { blocksOf, commandsOf } from '../../lab/document-blocks.ts';
import { root } from '../../lab/documents.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { listen } from '../../lab/ports.ts';
import type { ListeningServer } from '../../lab/ports.ts';
import { runChecked, runProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';
import { useRealm } from '../kerberos/acceptor.ts';

const ready = await tier('documents');
const decoder = [process.execPath, ...programWords(join(root, 'src/cli/sspi-auth.ts'))].join(' ');

/** What the commands with curl print where all is well, by a part of them; the first that fits. */
const curlAnswers: readonly (readonly [string, RegExp])[] = [
  ['--digest', /uri.*\/app\//],
  ['| npx sspi-auth decode', /SPNEGO|Kerberos/],
  ['num_connects', /^1 200\n0 200\n$/],
  ['persistent-auth', /^Persistent-Auth: true\r?$/m],
  ['www-authenticate', /^WWW-Authenticate: Negotiate\r?$/m],
  ['X-Padding', /^401\n$/],
  ['time_namelookup', /^\d+\.\d+ \d+\.\d+ \d+\.\d+\n$/],
  ['-X OPTIONS', /^200\n$/],
  ["%{http_code}\\n' --negotiate -u :", /^200\n$/],
  ["%{http_code}\\n' http://", /^401\n$/],
];

describe('commands of the documents', ready, () => {
  let kdc: Kdc;
  let folder: ScratchFolder;
  let alice: Readonly<Record<string, string>>;
  let server: ListeningServer;
  let close: () => void;
  before(async () => {
    kdc = await startKdc({ services: ['HTTP/localhost', 'HTTP/intranet.example.com'] });
    useRealm(kdc);
    alice = await kdc.signIn('alice');
    const accounts = memoryAccounts([{ userName: 'alice', password: 'secret-7' }]);
    const protect = sspiAuth({ keytab: kdc.keytab, accounts, skip: ({ method }) => method === 'OPTIONS' });
    close = () => protect.close();
    const listener = protect((request, response) => response.end(`Hello ${request.user?.name ?? ''}`));
    server = await listen(createServer(recommendedServerOptions, listener));
    folder = await scratchFolder('commands');
    await mkdir(folder.file('samba'));
    const own = (name: string): string => `${name} = ${folder.file('samba')}`;
    const folders = ['private dir', 'state directory', 'cache directory', 'lock directory', 'pid directory'].map(own);
    await writeFile(folder.file('smb.conf'), ['[global]', 'workgroup = FILES', ...folders, ''].join('\n'));
    const add = ['-s', folder.file('smb.conf'), '-t', '-a', '-u', 'daemon'];
    await runChecked('pdbedit', add, { input: 'secret-7\nsecret-7\n' });
  });
  after(async () => {
    await folder.remove();
    await server.close();
    close();
    await kdc.stop();
  });

  /** Runs a line in the folder of the test. */
  const run = async (line: string): Promise<string> => {
    const env = { ...alice, KRB5_KTNAME: kdc.keytab, SMB_CONF_PATH: folder.file('smb.conf') };
    return runChecked('sh', ['-e', '-c', line], { cwd: folder.path, env });
  };

  /** Every command of a shell block, by how it begins, and what must be so afterwards. */
  const commands: Readonly<Record<string, (line: string) => Promise<void>>> = {
    'pdbedit -e ': async (line) => {
      const database = readFileSync(folder.file('samba', 'passdb.tdb'));
      await run(replaced(line, { '/etc/sspi-auth': folder.path }));
      // Exported, and nothing was written to the database itself.
      assert.ok(database.equals(readFileSync(folder.file('samba', 'passdb.tdb'))));
      assert.match(await readFile(folder.file('smbpasswd'), 'utf8'), /^daemon:\d+:/m);
    },
    'chmod 600 ': async (line) => {
      const file = (line.split(' ')[2] ?? '').replace('/etc/sspi-auth/', '').replace('/etc/', '');
      await run(replaced(line, { [line.split(' ')[2] ?? '']: folder.file(file) }));
      assert.equal((await stat(folder.file(file))).mode & 0o777, 0o600);
      if (file === 'smbpasswd') await smbpasswdFile(folder.file(file)).close?.();
    },
    'openssl req ': async (line) => {
      await run(line);
      assert.match(new X509Certificate(await readFile(folder.file('credssp.crt'))).subject, /^CN=CREDSSP-/);
    },
    // These are run, and curl signs in, by test/package/bundles.test.ts.
    'esbuild app.mjs ': async () => Promise.resolve(),
    'rollup app.mjs ': async () => Promise.resolve(),
    'webpack --entry ': async () => Promise.resolve(),
    'ncc build ': async () => Promise.resolve(),
    'npx sspi-auth keytab list ': async (line) => {
      await copyFile(kdc.keytab, folder.file('http.keytab'));
      const listed = await run(line.replace('npx sspi-auth', decoder));
      assert.match(listed, /aes256-cts-hmac-sha1-96 .*HTTP\/intranet\.example\.com@TEST\.LOCAL/);
      await rm(folder.file('http.keytab'));
    },
    'npx sspi-auth keytab create ': async (line) => {
      await runChecked('sh', ['-e', '-c', line.replace('npx sspi-auth', decoder)], {
        cwd: folder.path,
        input: 'a long password\n',
      });
      assert.match(await run('klist -kte http.keytab'), /HTTP\/intranet\.example\.com@EXAMPLE\.COM \(aes256-/);
    },
    // A domain controller is what test/live/kerberos/active-directory.live.test.ts has.
    'samba-tool domain exportkeytab ': async () => Promise.resolve(),
    'klist -kte ': async (line) => {
      const keys = await run(line.replace('/etc/http.keytab', kdc.keytab));
      assert.match(keys, /HTTP\/intranet\.example\.com@TEST\.LOCAL \(aes256-/);
    },
    'klist -k ': async (line) => {
      assert.match(await run(replaced(line, { '/etc/http.keytab': kdc.keytab })), /HTTP\/intranet\.example\.com@/);
    },
    klist: async (line) => {
      assert.match(await run(line), /Default principal: alice@TEST\.LOCAL/);
      // Without a ticket it says so, as the page has it.
      const { code, stderr } = await runProcess('klist', [], { env: kdc.env });
      assert.equal(code, 1);
      assert.match(stderr, /No credentials cache found/);
    },
    'kvno -S HTTP intranet.example.com': async (line) => {
      assert.match(await run(line), /kvno = 2$/m);
      // By the realm that krb5.conf of the client says, as browsers and curl ask.
      const file = folder.file('other-realm.conf');
      const text = await readFile(kdc.file('krb5.conf'), 'utf8');
      await writeFile(file, text.replace('[domain_realm]', '[domain_realm]\n .example.com = OTHER.LOCAL'));
      const { stderr } = await runProcess('sh', ['-c', line], { env: { ...alice, KRB5_CONFIG: file } });
      assert.match(stderr, /Cannot find KDC|not found in Kerberos database|Cannot determine realm/);
    },
    'kvno HTTP/intranet.example.com': async (line) => {
      assert.match(await run(line), /^HTTP\/intranet\.example\.com@TEST\.LOCAL: kvno = 2$/m);
    },
    'kvno HTTP/': async (line) => {
      const { code, stderr } = await runProcess('sh', ['-c', line], { env: alice });
      assert.equal(code, 1);
      assert.match(stderr, /^kvno: Server HTTP\/\S+ not found in Kerberos database/);
    },
    'date -u': async (line) => {
      await run(line);
    },
    'touch ': async (line) => {
      await run(replaced(line, { '/var/tmp': folder.path }));
    },
    'curl ': async (line) => {
      const url = `http://localhost:${server.port}`;
      const text = await run(
        replaced(line, { 'http://intranet.example.com': url })
          .replace('-u alice ', '-u alice:secret-7 ')
          .replace('npx sspi-auth', decoder),
      );
      const expected = curlAnswers.find(([part]) => line.includes(part))?.[1];
      assert.ok(expected !== undefined, `no test knows what "${line}" prints`);
      assert.match(text, expected, line);
    },
  };

  it('are each known here, and do what the documents say', async () => {
    const blocks = blocksOf('sh');
    assert.ok(blocks.length >= 3);
    const done = new Set<string>();
    for (const { code, place } of blocks) {
      for (const line of commandsOf(code)) {
        if (done.has(line)) continue;
        done.add(line);
        const [, check] = Object.entries(commands).find(([start]) => line.startsWith(start)) ?? [];
        assert.ok(check !== undefined, `${place}: no test runs "${line}"`);
        await check(line);
      }
    }
  });

  it('kadmin makes the keytab', async () => {
    for (const { code } of blocksOf('kadmin')) {
      const lines = commandsOf(code).map((line) => line.replace(/^kadmin: /, ''));
      const other = lines.map((line) => replaced(line, { 'intranet.example.com': 'new.example.com' }));
      const keytab = folder.file('http.keytab');
      await kdc.administer(other.map((line) => line.replace('-k http.keytab', `-k ${keytab}`)));
      assert.match(await run('klist -k http.keytab'), /HTTP\/new\.example\.com@TEST\.LOCAL/);
    }
  });

  it('krb5.conf is read by MIT krb5', async () => {
    const blocks = blocksOf('ini');
    assert.ok(blocks.length > 0);
    for (const [index, { code, place }] of blocks.entries()) {
      const file = folder.file(`krb5-${index}.conf`);
      await writeFile(file, code);
      const { stderr } = await runProcess('klist', ['-k', kdc.keytab], { env: { ...kdc.env, KRB5_CONFIG: file } });
      assert.equal(stderr, '', place);
      process.env['KRB5_CONFIG'] = file;
      try {
        sspiAuth({ keytab: kdc.keytab }).close();
      } finally {
        process.env['KRB5_CONFIG'] = kdc.env['KRB5_CONFIG'];
      }
    }
  });
});
