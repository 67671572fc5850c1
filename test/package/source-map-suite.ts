/** Source maps and declaration maps lead to sources that are in the tarball. */
import assert from 'node:assert/strict';
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join, posix, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { definitionAt } from '../lab/tsserver.ts';
import type { PackedProject } from './packed-project.ts';

interface SourceMap {
  readonly sources: readonly string[];
  readonly sourceRoot?: string;
  readonly sourcesContent?: readonly unknown[];
}

/** Number of the first line that holds a text, counted from 1. */
async function lineOf(path: string, text: string): Promise<number> {
  const index = (await readFile(path, 'utf8')).split('\n').findIndex((line) => line.includes(text));
  assert.notEqual(index, -1, `${path} holds ${text}`);
  return index + 1;
}

/** Declares the tests. */
export function sourceMapSuite(project: () => PackedProject): void {
  describe('its source maps', () => {
    const built = (): readonly string[] => project().files.filter((path) => /^dist\/.*\.(js|d\.ts)$/.test(path));
    const read = (path: string): Promise<string> => readFile(join(project().installed, path), 'utf8');

    it('stand beside every file that was built, which names them', async () => {
      assert.ok(built().length > 20);
      for (const path of built()) {
        assert.ok(project().files.includes(`${path}.map`), `${path}.map`);
        const named = /\n\/\/# sourceMappingURL=(\S+)\s*$/.exec(await read(path))?.[1];
        assert.equal(named, posix.basename(`${path}.map`), path);
      }
    });

    it('name sources that are in the tarball', async () => {
      const named = new Set<string>();
      for (const path of built()) {
        const map = JSON.parse(await read(`${path}.map`)) as SourceMap;
        assert.equal(map.sourcesContent, undefined, `${path}.map: the source is in the package once`);
        for (const source of map.sources) {
          const target = posix.join(posix.dirname(path), map.sourceRoot ?? '', source);
          assert.ok(project().files.includes(target), `${path}.map names ${source}`);
          named.add(target);
        }
      }
      // And the other way round: what ships was built.
      const sources = project().files.filter((path) => /^(src|adapters)\//.test(path));
      assert.deepEqual(
        sources.filter((path) => !named.has(path)),
        [],
      );
    });

    it('lead a stack trace of Node to the line', async () => {
      const program = "import { sspiAuth } from 'sspi-auth/node'; sspiAuth({ provider: 'portable', misspelt: true });";
      await project().write('trace.mjs', program);
      const { stderr } = await project().run(process.execPath, ['--enable-source-maps', 'trace.mjs']);
      const frames = [...stderr.matchAll(/^ {4}at (?:.* \()?(\S+):(\d+):\d+\)?$/gm)].map(([, place = '', line]) => ({
        path: place.startsWith('file:') ? fileURLToPath(place) : place,
        line: Number(line),
      }));
      const own = frames.filter(({ path }) => /[/\\]sspi-auth[/\\]/.test(path));
      assert.ok(own.length > 1, stderr);
      for (const { path } of own) assert.match(path, /[/\\]sspi-auth[/\\](src|adapters)[/\\].*\.ts$/);
      const { path = '', line } = own.find((frame) => frame.path.includes('adapters')) ?? {};
      assert.equal(line, await lineOf(path, 'createAuthenticator('), stderr);
    });

    it('lead an editor from a name to its source', async () => {
      await project().write('jump.mts', "import { memoryAccounts } from 'sspi-auth';\nmemoryAccounts([]);\n");
      const source = await realpath(join(project().installed, 'src/accounts/memory-accounts.ts'));
      const found = await definitionAt(await realpath(project().path), 'jump.mts', 2, 3);
      assert.deepEqual(
        found.map(({ file, line }) => [relative(dirname(source), file), line]),
        [['memory-accounts.ts', await lineOf(source, 'export function memoryAccounts')]],
      );
    });
  });
}
