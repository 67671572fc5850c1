/** The code that README.md shows, in the hands of a user. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { compiler } from './packed-project.ts';
import type { PackedProject } from './packed-project.ts';

/** The fenced blocks of a document with one of these languages. */
function fences(markdown: string, ...languages: string[]): string[] {
  return [...markdown.matchAll(/^```(\w+)[^\n]*\n(.*?)^```$/gms)].flatMap(([, language = '', code = '']) =>
    languages.includes(language) ? [code] : [],
  );
}

/** Declares the tests. */
export function readmeSuite(project: () => PackedProject): void {
  describe('README.md', () => {
    before(() => project().link('@types', 'express', 'fastify', 'undici-types'));

    it('shows code that compiles as it stands', async () => {
      const blocks = fences(await readFile(join(project().installed, 'README.md'), 'utf8'), 'ts', 'js');
      assert.ok(blocks.length >= 3, 'Express, Fastify and node:http');
      const files = blocks.map((_, index) => `readme-${index + 1}.mts`);
      for (const [index, block] of blocks.entries()) {
        // Without an import or export a block would share its names with the others.
        await project().write(files[index] ?? '', `${block}\nexport {};\n`);
      }
      const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2023', '--module', 'nodenext'];
      const { stdout } = await project().run(process.execPath, [compiler, ...options, '--types', 'node', ...files]);
      assert.equal(stdout, '');
    });
  });
}
