/**
 * The documents keep their word: their links lead somewhere, their examples run, the changelog goes with the version. That
 * the code of README.md compiles is tested with the packed tarball (test/package/readme-suite.ts).
 */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../lab/process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

/** npm scripts that a document tells its reader to run. */
function scriptsNamedIn(markdown: string): string[] {
  return [...markdown.matchAll(/\bnpm (?:run (?:--\S+ )*([\w:]+)|(test)\b)/g)].map(
    ([, name, test]) => name ?? test ?? '',
  );
}

describe('README.md', () => {
  it('links to files that exist', async () => {
    for (const [, target = ''] of (await read('README.md')).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      await assert.doesNotReject(read(target), `README.md links to ${target}`);
    }
  });

  it('names npm scripts that exist', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
    for (const name of scriptsNamedIn(await read('README.md'))) assert.ok(name in scripts, name);
    for (const name of scriptsNamedIn(await read('docs/releasing.md'))) assert.ok(name in scripts, name);
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
