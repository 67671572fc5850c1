/** README.md in the hands of a user: a fresh project, the packed tarball, a framework, five lines, and curl signs in. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { onAnyPort, portLine } from '../lab/any-port.ts';
import { curl } from '../lab/curl.ts';
import { codeBlocks } from '../lab/documents.ts';
import { tier } from '../lab/tier.ts';
import { packedProject } from './packed-project.ts';
import type { PackedProject } from './packed-project.ts';

const ready = await tier('curl');

describe('five lines of README.md, in an empty project with the packed tarball', ready, () => {
  let project: PackedProject;
  let readme: string;
  before(async () => {
    project = await packedProject();
    readme = await readFile(join(project.path, 'node_modules/sspi-auth/README.md'), 'utf8');
  });
  after(() => project[Symbol.asyncDispose]());

  for (const framework of ['express', 'fastify']) {
    it(`of ${framework}: curl signs in, and a stranger does not`, async () => {
      await project.link(framework);
      const program = codeBlocks(readme).find(({ code }) => code.includes(`sspi-auth/${framework}`))?.code ?? '';
      const [, userName, password] = /userName: '(\w+)', password: '([^']+)'/.exec(program) ?? [];
      assert.ok(userName !== undefined && password !== undefined, program);
      await project.write('app.mjs', program);
      await using app = await project.start(process.execPath, [...onAnyPort, 'app.mjs']);
      const [, port = ''] = await app.waitForLine(portLine);
      const url = `http://localhost:${port}/`;

      const stranger = await curl([url]);
      assert.equal(stranger.status, 401);
      assert.deepEqual(
        stranger.headers.get('www-authenticate')?.map((value) => value.split(' ')[0]),
        ['NTLM', 'Digest', 'Digest'],
      );
      for (const scheme of ['--ntlm', '--digest']) {
        const user = await curl([scheme, '-u', `${userName}:${password}`, url]);
        assert.equal(user.status, 200);
        assert.match(user.body, new RegExp(`^Hello [^\\\\]+\\\\${userName}$`));
      }
      assert.equal((await curl(['--ntlm', '-u', `${userName}:wrong`, url])).status, 401);
    });
  }
});
