/** The bundles that docs/modules.md makes: the Express program of README.md in each, and curl signs in. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { onAnyPort, portLine } from '../lab/any-port.ts';
import { curl } from '../lab/curl.ts';
import { blocksIn, commandsOf } from '../lab/document-blocks.ts';
import { codeBlocks, readDocument, root } from '../lab/documents.ts';
import { full } from '../lab/matrix.ts';
import { tier } from '../lab/tier.ts';
import { packedProject } from './packed-project.ts';
import type { PackedProject } from './packed-project.ts';

const ready = await tier('curl');
const written = blocksIn('docs/modules.md', readDocument('docs/modules.md'))
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => commandsOf(code));
const [whole = '', small = '', ...others] = written;
/** What `npm test` makes of the others: one more of the quick bundler. The slow ones take half a minute each. */
const chosen = others.filter((command) => full() || command.startsWith('esbuild '));

/** The file that a command makes. */
function fileOf(command: string): string {
  const word = (pattern: RegExp): string => pattern.exec(command)?.[1] ?? '';
  switch (command.split(' ')[0]) {
    case 'esbuild':
      return word(/--outfile=(\S+)/);
    case 'rollup':
      return `${word(/--dir (\S+)/)}/app${word(/\[name\](\.\w+)/)}`;
    case 'webpack':
      return `${word(/--output-path (\S+)/)}/${word(/--output-filename (\S+)/)}`;
    default:
      return `${word(/ -o (\S+)/)}/index${word(/app(\.\w+)/)}`;
  }
}

describe('bundles of docs/modules.md', ready, () => {
  let project: PackedProject;
  before(async () => {
    project = await packedProject();
    await project.link('express');
    const program = codeBlocks(readDocument('README.md')).find(({ code }) => code.includes('sspi-auth/express'));
    const code = program?.code ?? '';
    await project.write('app.mjs', code);
    await project.write('app.cjs', code.replaceAll(/^import (.*) from ('.*');$/gm, 'const $1 = require($2);'));
  });
  after(() => project[Symbol.asyncDispose]());

  /** Runs a command of the document; the path of what it made. */
  async function bundle(command: string): Promise<string> {
    const path = `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`;
    const { code, stderr } = await project.run('env', [`PATH=${path}`, 'sh', '-c', command]);
    assert.equal(code, 0, stderr);
    return fileOf(command);
  }

  it('are there, of both kinds of module', () => {
    assert.deepEqual(
      written.map((command) => `${command.split(' ')[0] ?? ''} ${fileOf(command).split('.').at(-1) ?? ''}`),
      [
        ...['esbuild mjs', 'esbuild mjs', 'rollup mjs', 'webpack cjs', 'ncc mjs'],
        ...['esbuild cjs', 'rollup cjs', 'webpack mjs', 'ncc cjs'],
      ],
    );
  });

  it('that hold every package but koffi sign in, also where the others are gone', async () => {
    const file = await bundle(whole);
    await rm(join(project.path, 'node_modules/express'));
    await signsIn(file);
    await project.link('express');
  });

  it('that hold no package sign in', async () => {
    await signsIn(await bundle(small));
  });

  for (const command of chosen) {
    const file = fileOf(command);
    it(`of ${command.split(' ')[0] ?? ''}, ${file}, sign in`, async () => {
      await signsIn(await bundle(command));
    });
  }

  it('of CommonJS say what cannot be found', async () => {
    const programs = {
      koffi: "sspiAuth({ provider: 'gssapi', keytab: '/etc/none.keytab' });",
      selfsigned: "sspiAuth({ accounts, provider: 'portable', schemes: ['CredSSP'] });",
      jose: "sspiAuth({ accounts, session: { secrets: ['a secret that is long enough for this one'] } });",
    };
    for (const [name, program] of Object.entries(programs)) {
      const imports = "import { memoryAccounts } from 'sspi-auth'; import { sspiAuth } from 'sspi-auth/node';";
      await project.write(
        'needs.mjs',
        `${imports}\nconst accounts = memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]);\n${program}`,
      );
      const command = `esbuild needs.mjs --bundle --platform=node --format=cjs --external:koffi --log-level=error --outfile=${name}.cjs`;
      const { code, stderr } = await project.run(process.execPath, [await bundle(command)]);
      assert.equal(code, 1, name);
      assert.match(stderr, new RegExp(`sspi-auth: .*${name}`), name);
    }
  });

  it('without the banner do not run: Express calls require', async () => {
    const bare = whole.replace(/ --banner:js="[^"]*"/, '');
    assert.notEqual(bare, whole);
    const { code, stderr } = await project.run(process.execPath, [await bundle(bare)]);
    assert.equal(code, 1);
    assert.match(stderr, /Dynamic require of "\w[\w:]*" is not supported/);
  });

  async function signsIn(file: string): Promise<void> {
    await using app = await project.start(process.execPath, [...onAnyPort, file]);
    const [, port = ''] = await app.waitForLine(portLine);
    const url = `http://localhost:${port}/`;
    assert.equal((await curl([url])).status, 401);
    for (const scheme of ['--ntlm', '--digest']) {
      assert.match((await curl([scheme, '-u', 'alice:Hatter-42', url])).body, /^Hello [^\\]+\\alice$/);
    }
    assert.equal((await curl(['--ntlm', '-u', 'alice:wrong', url])).status, 401);
  }
});
