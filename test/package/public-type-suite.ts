/** Every type that a public declaration mentions has a name that a user can import. */
import assert from 'node:assert/strict';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { publicTypes } from '../lab/public-types.ts';
import type { PublicTypes } from '../lab/public-types.ts';
import { compiler } from './packed-project.ts';
import type { PackedProject } from './packed-project.ts';

const consumer = new URL('consumer/every-type.ts', import.meta.url);

/** Names that a source imports from each module of the package. */
function importsOf(source: string): Map<string, string[]> {
  const imports = new Map<string, string[]>();
  for (const [, names = '', module = ''] of source.matchAll(/^import type \{([^}]*)\} from '(sspi-auth[^']*)';$/gm)) {
    const words = names.split(',').map((name) => name.trim().split(' as ')[0] ?? '');
    imports.set(module, words.filter((name) => name !== '').sort());
  }
  return imports;
}

/** Declares the tests. */
export function publicTypeSuite(project: () => PackedProject): void {
  describe('its public types', () => {
    let types: PublicTypes;
    before(async () => {
      const folder = await realpath(project().installed);
      await project().link('@types', 'express', 'fastify', 'hono', 'koa', 'undici-types');
      const entries = new Map<string, string>();
      for (const [name, target] of Object.entries(project().manifest.exports)) {
        if (typeof target !== 'string') entries.set(`sspi-auth${name.slice(1)}`, join(folder, target.types));
      }
      types = publicTypes(entries, folder);
    });

    it('have names that an entry point exports', () => assert.deepEqual(types.unnamed, []));

    it('are all named by a consumer, whose program compiles', async () => {
      const source = await readFile(consumer, 'utf8');
      assert.deepEqual(Object.fromEntries(importsOf(source)), Object.fromEntries(types.exported));
      await project().write('every-type.mts', source);
      const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUnusedLocals', '--skipLibCheck'];
      const target = ['--target', 'es2023', '--module', 'nodenext', '--types', 'node'];
      const words = [compiler, ...options, ...target, 'every-type.mts'];
      const { code, stdout } = await project().run(process.execPath, words);
      assert.equal(stdout, '');
      assert.equal(code, 0);
    });
  });
}
