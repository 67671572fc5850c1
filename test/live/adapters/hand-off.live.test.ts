/**
 * Examples for packages that this project does not depend on: installed from npm into a folder of their own, compiled, and
 * signed in to by curl.
 */
import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { onAnyPort, portLine } from '../../lab/any-port.ts';
import { curl } from '../../lab/curl.ts';
import { root } from '../../lab/documents.ts';
import { full } from '../../lab/matrix.ts';
import { npm } from '../../lab/npm.ts';
import { runChecked, startProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl');
const alice = ['--ntlm', '-u', 'alice:Wonderland-7'];
const tsx = fileURLToPath(import.meta.resolve('tsx'));
const packages = ['@fastify/secure-session@8', 'iron-session@8'];
const paths = { 'sspi-auth': [join(root, 'src/index.ts')], 'sspi-auth/*': [join(root, 'adapters/*.ts')] };

if (full()) {
  describe('examples of sessions that are all in a cookie', ready, () => {
    let folder: ScratchFolder;
    before(async () => {
      folder = await scratchFolder('hand-off');
      await writeFile(folder.file('package.json'), '{ "type": "module" }');
      await npm(['install', '--no-audit', '--no-fund', '--ignore-scripts', ...packages], { cwd: folder.path });
      // The frameworks are those of the project, so that there is one of each.
      for (const scope of ['.', '@types', '@hono', '@koromix']) {
        await mkdir(folder.file('node_modules', scope), { recursive: true });
        for (const name of await readdir(join(root, 'node_modules', scope))) {
          const place = folder.file('node_modules', scope, name);
          await symlink(join(root, 'node_modules', scope, name), place).catch(() => undefined);
        }
      }
      const compilerOptions = {
        ...{ noEmit: true, strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
        ...{
          skipLibCheck: true,
          allowImportingTsExtensions: true,
          target: 'es2023',
          module: 'nodenext',
          types: ['node'],
        },
        ...{ lib: ['es2023', 'esnext.disposable'], paths },
      };
      await writeFile(folder.file('tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
      for (const name of ['secure-session.ts', 'iron-session.ts']) {
        await copyFile(join(root, 'examples/hand-off', name), folder.file(name));
      }
    });
    after(() => folder.remove());

    it('they compile', async () => {
      const compiler = join(root, 'node_modules/typescript/bin/tsc');
      await runChecked(process.execPath, [compiler, '-p', folder.path], { timeout: 600_000 });
    });

    for (const name of ['secure-session.ts', 'iron-session.ts']) {
      it(`${name}: sign in, another connection, a forged cookie, sign out`, async () => {
        const words = ['--import', tsx, ...onAnyPort, name];
        const env = { TSX_TSCONFIG_PATH: folder.file('tsconfig.json') };
        await using example = await startProcess(process.execPath, words, { cwd: folder.path, env });
        const [, port = ''] = await example.waitForLine(portLine, 60_000);
        const url = `http://127.0.0.1:${port}`;
        await using cookies = await scratchFolder('cookies');
        const jar = ['-b', cookies.file('jar'), '-c', cookies.file('jar')];
        assert.equal((await curl([...jar, url])).status, 401);
        const signedIn = await curl([...alice, ...jar, `${url}/sign-in`]);
        assert.equal(signedIn.status, 302);
        assert.match(signedIn.headers.get('set-cookie')?.at(-1) ?? '', /HttpOnly; SameSite=Lax/);
        assert.match((await curl([...jar, url])).body, /^Hello .*alice/);
        assert.equal((await curl(['-H', 'Cookie: session=forged', url])).status, 401);
        assert.equal((await curl([...jar, '-X', 'POST', `${url}/sign-out`])).status, 303);
        assert.equal((await curl([...jar, url])).status, 401);
      });
    }
  });
}
