/** The code that the documents show compiles as it stands: what a reader copies is what is compiled here. */
import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { codeBlocks, documents, root } from '../lab/documents.ts';
import { runProcess } from '../lab/process.ts';
import { scratchFolder } from '../lab/scratch.ts';

/** The documents' own names for this package, as its users have them; its types are those of the sources. */
const paths = {
  'sspi-auth': [join(root, 'src/index.ts')],
  'sspi-auth/sspi': [join(root, 'src/contract.ts')],
  'sspi-auth/*': [join(root, 'adapters/*.ts')],
};

/** Strict, as the templates of TypeScript are, so that no reader has to make the code right. */
const compilerOptions = {
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  paths,
};

/**
 * What the compiler says of the blocks of some documents, by their documents and lines.
 *
 * @param markdowns texts by path
 */
async function compiled(markdowns: ReadonlyMap<string, string>): Promise<string> {
  await using folder = await scratchFolder('documents');
  await symlink(join(root, 'node_modules'), folder.file('node_modules'));
  await writeFile(folder.file('package.json'), '{ "type": "module" }');
  await writeFile(folder.file('tsconfig.json'), JSON.stringify({ compilerOptions, include: ['blocks'] }));
  for (const [path, markdown] of markdowns) {
    for (const { file, code } of codeBlocks(markdown)) {
      // A folder for each document: blocks of one may import each other.
      const place = folder.file('blocks', path, file);
      await mkdir(dirname(place), { recursive: true });
      // Without an import or export a block would share its names with the others.
      await writeFile(place, `${code}\nexport {};\n`);
    }
  }
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await runProcess(process.execPath, [compiler, '-p', folder.path], { timeout: 240_000 });
  return stdout.replaceAll(`${folder.path}/blocks/`, '').replaceAll('blocks/', '');
}

describe('the code of the documents', () => {
  const all = documents();

  it('is there: README.md has Express, Fastify and what stands in place of accounts; docs/ has more', () => {
    assert.ok(codeBlocks(all.get('README.md') ?? '').length >= 3);
    assert.ok([...all.values()].flatMap(codeBlocks).length >= 25);
  });

  it('compiles as it stands', async () => {
    assert.equal(await compiled(all), '');
  });

  it('would be found where it does not', async () => {
    const wrong = "# A\n\n```js\nimport { sspiAuth } from 'sspi-auth/express';\nsspiAuth({ acounts: [] });\n```\n";
    assert.match(await compiled(new Map([['docs/a.md', wrong]])), /docs\/a\.md\/line-3\.ts\(2,\d+\).*acounts/);
  });
});
