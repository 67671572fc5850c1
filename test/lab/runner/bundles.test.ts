/** What the runner makes of test files: JavaScript that is where its source is, and says so where it is wrong. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { runProcess } from '../process.ts';
import type { ProcessResult } from '../process.ts';
import { withOwnMeta } from './bundles.ts';
import { root } from './test-files.ts';

let folder: string;
before(async () => {
  await mkdir(join(root, '.scratch'), { recursive: true });
  folder = await mkdtemp(join(root, '.scratch/bundles-'));
});
after(() => rm(folder, { recursive: true, force: true }));

interface Outcome {
  readonly tests: number;
  readonly failed: readonly string[];
  readonly durations: readonly string[];
  readonly bundled: boolean;
}

/** Writes the files and runs the tests among them as the runner does, in a process that is no test itself. */
async function runBundled(files: Readonly<Record<string, string>>): Promise<Outcome & ProcessResult> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const sources = Object.keys(files).filter((name) => name.endsWith('.test.ts'));
  const url = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const driver = join(folder, 'driver.mjs');
  await writeFile(
    driver,
    `import { bundleTests } from ${url('bundles.ts')};
    import { runFiles } from ${url('run-files.ts')};
    const sources = ${JSON.stringify(sources.map((name) => join(folder, name)))};
    const tests = await bundleTests(sources);
    const { byName, failed, durations } = await runFiles(sources, 60000, tests);
    const bundled = tests.programOf(sources[0]) !== sources[0];
    await tests[Symbol.asyncDispose]();
    const outcome = { tests: byName.get('tests'), failed, durations: [...durations.keys()], bundled };
    console.log('\\noutcome ' + JSON.stringify(outcome));`,
  );
  const result = await runProcess(process.execPath, ['--import', import.meta.resolve('tsx'), driver], { cwd: root });
  const [, outcome = ''] = /^outcome (.*)$/m.exec(result.stdout) ?? [];
  return { ...(JSON.parse(outcome) as Outcome), ...result };
}

const head = "import assert from 'node:assert/strict';\nimport { it } from 'node:test';\n";

describe('a bundled test file', () => {
  it('has the import.meta of its source, and so has each module that it imports', async () => {
    const { tests, failed, durations, bundled, stdout } = await runBundled({
      'meta.test.ts': `${head}import { url, filename, dirname, inText } from './beside.ts';
it('is there', () => {
  assert.equal(import.meta.url, ${JSON.stringify(pathToFileURL(join(folder, 'meta.test.ts')).href)});
  assert.equal(url, ${JSON.stringify(pathToFileURL(join(folder, 'beside.ts')).href)});
  assert.deepEqual([filename, dirname], ${JSON.stringify([join(folder, 'beside.ts'), folder])});
  assert.equal(inText, ['import', 'meta', 'url'].join('.'));
});\n`,
      'beside.ts': `export const url: string = import.meta.url;
export const { filename, dirname } = { filename: import.meta.filename, dirname: import.meta.dirname };
export const inText = 'import.meta.url';\n`,
    });
    assert.deepEqual([tests, failed, bundled], [1, [], true], stdout);
    assert.deepEqual(durations, [join(folder, 'meta.test.ts')]);
  });

  it('imports a source by its URL', async () => {
    const { tests, failed, stdout } = await runBundled({
      'copies.test.ts': `${head}import { own } from './copied.ts';
it('is a copy', async () => {
  const copy = (await import(new URL('copied.ts?copy', import.meta.url).href)) as { own: object };
  assert.notEqual(copy.own, own);
});\n`,
      'copied.ts': 'export const own: object = {};\n',
    });
    assert.deepEqual([tests, failed], [1, []], stdout);
  });

  it('that is no TypeScript is a failed test, and the others run', async () => {
    const { failed, bundled, stdout } = await runBundled({
      'sound.test.ts': `${head}it('runs', () => { assert.ok(true); });\n`,
      'broken.test.ts': `${head}it('is broken' => {});\n`,
    });
    assert.deepEqual([failed, bundled], [[join(folder, 'broken.test.ts')], false]);
    assert.match(stdout, /broken\.test\.ts:3:\d+: ERROR: .*\n[^]*✔ runs/);
  });

  it('that throws as it is loaded is a failed test, which names the line of its source', async () => {
    const { failed, bundled, stdout } = await runBundled({
      'throws.test.ts': `${head}interface Nothing {}\n\nthrow new Error('at once');\n`,
    });
    assert.deepEqual([failed, bundled], [[join(folder, 'throws.test.ts')], true]);
    assert.match(stdout, /at once[^]*throws\.test\.ts:5:7/);
  });
});

describe('the constants of import.meta', () => {
  it('move no line, and take the place of what names the interpreter', () => {
    assert.match(withOwnMeta('a;\nb;', '/x/y.ts'), /^const .*"\/x\/y\.ts".*;a;\nb;$/);
    assert.match(withOwnMeta('#!/usr/bin/env node\nb;', '/x/y.ts'), /^const [^\n]*;\nb;$/);
  });
});
