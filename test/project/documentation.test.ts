/** The documents keep their word: their code compiles, their examples run, the changelog goes with the version. */
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProcess, startProcess } from '../lab/process.ts';
import { scratchFolder } from '../lab/scratch.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

/** The fenced blocks of a document with one of these languages. */
function fences(markdown: string, ...languages: string[]): string[] {
  return [...markdown.matchAll(/^```(\w+)[^\n]*\n(.*?)^```$/gms)].flatMap(([, language = '', code = '']) =>
    languages.includes(language) ? [code] : [],
  );
}

describe('README.md', () => {
  it('shows code that compiles as it stands', async () => {
    const blocks = fences(await read('README.md'), 'ts', 'js');
    assert.ok(blocks.length >= 3, 'Express, Fastify and node:http');
    await using folder = await scratchFolder('readme');
    await mkdir(folder.file('node_modules'));
    for (const name of ['express', 'fastify', '@types', 'undici-types']) {
      await symlink(join(root, 'node_modules', name), folder.file('node_modules', name));
    }
    await symlink(root, folder.file('node_modules', 'sspi-auth'));
    await writeFile(folder.file('package.json'), '{ "type": "module" }');
    const files = blocks.map((_, index) => `block-${index + 1}.ts`);
    for (const [index, block] of blocks.entries()) {
      // Without an import or export a block would share its names with the others.
      await writeFile(folder.file(files[index] ?? ''), `${block}\nexport {};\n`);
    }
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2023', '--module', 'nodenext'];
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const words = [compiler, ...options, '--types', 'node', ...files];
    const { stdout } = await runProcess(process.execPath, words, { cwd: folder.path, timeout: 180_000 });
    assert.equal(stdout, '');
  });

  it('links to files that exist', async () => {
    for (const [, target = ''] of (await read('README.md')).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      await assert.doesNotReject(read(target), `README.md links to ${target}`);
    }
  });

  it('names npm scripts that exist', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
    for (const [, name = ''] of (await read('README.md')).matchAll(/npm (?:run )?(demo|test|bench|check|build)\b/g)) {
      assert.ok(name in scripts, name);
    }
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
});

describe('examples', () => {
  let examples: string[] = [];
  before(async () => {
    examples = (await readdir(join(root, 'examples'))).filter((name) => name.endsWith('.ts'));
  });

  it('start, and answer a stranger with 401 or end by themselves', async () => {
    assert.ok(examples.length > 0);
    for (const name of examples) {
      await using example = await startProcess(process.execPath, ['--import', 'tsx', join('examples', name)], {
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
      const response = await fetch(`http://127.0.0.1:${listening[1] ?? ''}/`);
      assert.equal(response.status, 401, name);
      assert.match(response.headers.get('www-authenticate') ?? '', /NTLM|Digest|Negotiate/, name);
      await response.body?.cancel();
    }
  });
});
