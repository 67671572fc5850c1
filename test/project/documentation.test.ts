/** README.md keeps its form, the examples run, the changelog goes with the version. */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { options } from '../../src/authenticator/options.ts';
import { fences } from '../lab/markdown.ts';
import { matrixRows } from '../lab/matrix.ts';
import { startProcess } from '../lab/process.ts';
import { programWords } from '../lab/program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

describe('README.md', () => {
  it('has at most 150 lines', async () => {
    const lines = (await read('README.md')).split('\n').length - 1;
    assert.ok(lines <= 150, `${lines} lines: move depth to a page of docs/`);
  });

  it('signs in with five lines of Express and five of Fastify', async () => {
    for (const framework of ['express', 'fastify']) {
      const block = fences(await read('README.md')).find(({ code }) => code.includes(`sspi-auth/${framework}`));
      assert.equal(block?.code.trim().split('\n').length, 5, framework);
    }
  });

  it('has a table of options, each of which exists', async () => {
    const table = /^\| option +\|.*\n\| -[^]*?(?=\n\n)/m.exec(await read('README.md'))?.[0] ?? '';
    const names = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name);
    assert.ok(names.length >= 10, 'the table was found');
    assert.deepEqual(
      names.filter((name) => !(name in options)),
      [],
    );
  });

  it('has the command by which .ci/run tests', async () => {
    const commands = fences(await read('README.md'))
      .filter(({ language }) => language === 'sh')
      .flatMap(({ code }) => code.split('\n').map((line) => line.replace(/\s*#.*/, '')));
    const own = (await read('.ci/run')).split('\n').filter((line) => line.includes('npm '));
    assert.ok(own.length > 0);
    for (const line of own) assert.ok(commands.includes(line), line);
  });
});

describe('CHANGELOG.md', () => {
  it('has Unreleased on top, or the version of package.json', async () => {
    const { version } = JSON.parse(await read('package.json')) as { version: string };
    const headings = [...(await read('CHANGELOG.md')).matchAll(/^## \[([^\]]+)\]/gm)].map(([, name]) => name);
    assert.equal(headings[0], 'Unreleased');
    // Before the first release there is nothing but Unreleased.
    assert.ok(headings.length === 1 || headings[1] === version, `newest entry is ${headings[1] ?? 'missing'}`);
  });

  it('has no sections but those of Keep a Changelog', async () => {
    const sections = [...(await read('CHANGELOG.md')).matchAll(/^### (.*)$/gm)].map(([, name = '']) => name);
    const known = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
    assert.deepEqual(
      sections.filter((name) => !known.includes(name)),
      [],
    );
  });
});

describe('examples', () => {
  let examples: string[] = [];
  before(async () => {
    examples = (await readdir(join(root, 'examples'))).filter((name) => name.endsWith('.ts'));
  });

  it('start, and answer a stranger with 401 or end by themselves', async () => {
    assert.ok(examples.length > 0);
    // The live tests start and sign in to each of them.
    for (const name of matrixRows(examples, () => 'an example')) {
      await using example = await startProcess(process.execPath, programWords(join(root, 'examples', name)), {
        cwd: root,
        env: { PORT: '0' },
        input: '',
      });
      const listening = await Promise.race([example.waitForLine(/port: (\d+)/), example.ended]);
      if (!Array.isArray(listening)) {
        assert.equal(listening.code, 0, `${name}: ${listening.stderr}`);
        assert.notEqual(listening.stdout, '', name);
        continue;
      }
      const url = `http://127.0.0.1:${listening[1] ?? ''}/`;
      const open = await fetch(url);
      // Some have a page for strangers, and one route that asks who they are.
      const response = open.headers.has('www-authenticate') ? open : await fetch(`${url}sign-in`);
      assert.equal(response.status, 401, name);
      assert.match(response.headers.get('www-authenticate') ?? '', /NTLM|Digest|Negotiate/, name);
      await response.body?.cancel();
    }
  });
});
