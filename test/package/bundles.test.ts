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
const commands = written.filter((command) => command.startsWith('esbuild '));
/** What other bundlers make, by the program of the command. They take half a minute each, so that all is full(). */
const others = new Map([
  ['rollup', 'rollup/app.mjs'],
  ['webpack', 'webpack/app.cjs'],
  ['ncc', 'ncc/index.mjs'],
]);

describe('bundles of docs/modules.md', ready, () => {
  let project: PackedProject;
  before(async () => {
    project = await packedProject();
    await project.link('express');
    const program = codeBlocks(readDocument('README.md')).find(({ code }) => code.includes('sspi-auth/express'));
    await project.write('app.mjs', program?.code ?? '');
  });
  after(() => project[Symbol.asyncDispose]());

  /** Runs a command of the document; the path of what it made. */
  async function bundle(command: string): Promise<string> {
    const path = `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`;
    const { code, stderr } = await project.run('env', [`PATH=${path}`, 'sh', '-c', command]);
    assert.equal(code, 0, stderr);
    return /--outfile=(\S+)/.exec(command)?.[1] ?? '';
  }

  it('are there', () => {
    assert.equal(commands.length, 2);
    assert.deepEqual(
      written.slice(2).map((command) => command.split(' ')[0]),
      [...others.keys()],
    );
    assert.ok(commands.every((command) => command.startsWith('esbuild app.mjs --bundle ')));
  });

  it('that hold every package but koffi sign in, also where the others are gone', async () => {
    const [command = ''] = commands;
    const file = await bundle(command);
    await rm(join(project.path, 'node_modules/express'));
    await signsIn(file);
    await project.link('express');
  });

  it('that hold no package sign in', async () => {
    await signsIn(await bundle(commands[1] ?? ''));
  });

  for (const [program, file] of full() ? others : []) {
    it(`of ${program} sign in`, async () => {
      const command = written.find((text) => text.startsWith(`${program} `)) ?? '';
      const path = `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`;
      const { code, stderr } = await project.run('env', [`PATH=${path}`, 'sh', '-c', command]);
      assert.equal(code, 0, stderr);
      await signsIn(file);
    });
  }

  it('without the banner do not run: Express calls require', async () => {
    const bare = (commands[0] ?? '').replace(/ --banner:js="[^"]*"/, '');
    assert.notEqual(bare, commands[0]);
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
