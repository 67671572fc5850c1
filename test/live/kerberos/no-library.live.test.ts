/** Kerberos without a library: in a root folder that has Node and this package alone, and by several processes. */
import assert from 'node:assert/strict';
import { chmod, copyFile, link, mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { curl } from '../../lab/curl.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { runChecked, runProcess, startProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import type { RunningProcess } from '../../lab/process.ts';
import { canMakeNamespaces } from '../../lab/samba-ad.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('kdc', [], canMakeNamespaces);
const program = fileURLToPath(new URL('no-library-server.ts', import.meta.url));

describe('Kerberos without a library', ready, () => {
  let kdc: Kdc;
  let folder: ScratchFolder;
  before(async () => {
    kdc = await startKdc();
    await chmod(kdc.keytab, 0o600);
    folder = await scratchFolder('no-library');
  });
  after(async () => {
    await folder.remove();
    await kdc.stop();
  });

  async function portOf(server: RunningProcess): Promise<string> {
    return (await server.waitForLine(/^port (\d+)$/m))[1] ?? '';
  }

  /** A root folder with Node, the libraries that it is linked with, and one file of JavaScript. */
  async function makeRoot(): Promise<string> {
    const root = folder.file('root');
    const libraries = (await runChecked('ldd', [process.execPath])).matchAll(/(\/\S+) \(0x/g);
    for (const path of [process.execPath, ...[...libraries].map(([, path = '']) => path)]) {
      await mkdir(`${root}${dirname(path)}`, { recursive: true });
      await link(await realpath(path), `${root}${path}`).catch(() => copyFile(path, `${root}${path}`));
    }
    for (const name of ['app', 'var/tmp']) await mkdir(`${root}/${name}`, { recursive: true });
    const words = { bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' } as const;
    await build({ ...words, entryPoints: [program], outfile: `${root}/app/server.mjs` });
    await copyFile(kdc.keytab, `${root}/app/http.keytab`);
    await chmod(`${root}/app/http.keytab`, 0o600);
    return root;
  }

  it('signs in where neither GSSAPI nor koffi is, and says so in one line', async () => {
    const root = await makeRoot();
    const words = [root, process.execPath, '/app/server.mjs', '/app/http.keytab'];
    await using server = await startProcess('chroot', words, {
      env: { KRB5_CONFIG: undefined, KRB5_KTNAME: undefined },
    });
    const port = await portOf(server);
    const env = await kdc.signIn('alice');
    const { responses, body } = await curl(['--negotiate', '-u', ':', `http://localhost:${port}/`], { env });
    assert.equal(responses.at(-1)?.status, 200, server.output.stdout + server.output.stderr);
    assert.deepEqual(JSON.parse(body), { name: 'alice@TEST.LOCAL', provider: 'portable' });
    const chosen = server.output.stdout.match(/log sspi-auth: Kerberos is this library's own .*koffi/g);
    assert.equal(chosen?.length, 1, server.output.stdout);
  });

  it('D01, D25: a token that one process took is refused by another, which says why', async () => {
    const words = [...programWords(program), kdc.keytab, folder.file('replay')];
    await using first = await startProcess(process.execPath, words);
    await using second = await startProcess(process.execPath, words);
    const ports = [await portOf(first), await portOf(second)];
    const env = await kdc.signIn('bob');
    const { stderr } = await runProcess(
      'curl',
      ['-sv', '-o', '/dev/null', '--negotiate', '-u', ':', `http://localhost:${ports[0]}/`],
      {
        env,
      },
    );
    const field = /^> (Authorization: Negotiate \S+)/m.exec(stderr)?.[1] ?? '';
    assert.match(stderr, /^< HTTP\/1\.1 200/m);
    for (const port of [ports[1], ports[0]]) {
      const { responses } = await curl(['-H', field, `http://localhost:${port}/`]);
      assert.equal(responses.at(-1)?.status, 401);
    }
    assert.match(second.output.stdout, /log sspi-auth: refused .*was used before: this is a replay/);
  });
});
