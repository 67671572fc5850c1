/** The runner believes nothing that did not happen: what fails in a file of many is seen, and so is one that never loads. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { describe, it } from 'node:test';
import { runChecked } from '../process.ts';
import { scratchFolder } from '../scratch.ts';
import { root } from './test-files.ts';

interface Outcome {
  readonly counts: Readonly<Record<string, number>>;
  readonly failed: readonly string[];
  readonly leftOut: readonly string[];
  readonly succeeded: boolean;
}

/** Runs test files that share their processes, in a process that is no test itself. */
async function runTogether(...sources: string[]): Promise<Outcome> {
  await using folder = await scratchFolder('runner');
  const paths = sources.map((_, index) => folder.file(`file-${index}.mjs`));
  for (const [index, source] of sources.entries()) {
    await writeFile(paths[index] ?? '', `import { describe, it } from 'node:test';\n${source}\n`);
  }
  const files = paths.map((path) => ({ path: relative(root, path), size: 1, tiers: [], kind: 'unit' }));
  const driver = folder.file('driver.mjs');
  await writeFile(
    driver,
    `import { runFiles, succeeded, writeBatches } from '${new URL('run-files.ts', import.meta.url).href}';
    const folder = { file: (name) => '${folder.path.replaceAll('\\', '/')}/' + name };
    const counts = await runFiles(await writeBatches(${JSON.stringify(files)}, folder), 60000);
    const { byName, failed, leftOut } = counts;
    const outcome = { counts: Object.fromEntries(byName), failed, leftOut, succeeded: succeeded(counts) };
    console.log('\\noutcome ' + JSON.stringify(outcome));`,
  );
  const output = await runChecked(process.execPath, ['--import', import.meta.resolve('tsx'), driver], { cwd: root });
  return JSON.parse(/^outcome (.*)$/m.exec(output)?.[1] ?? '') as Outcome;
}

describe('the runner, of files that share a process', () => {
  const passing = "describe('a', () => { it('passes', () => {}); });";

  it('is content where all of them pass', async () => {
    const { counts, failed, succeeded } = await runTogether(passing, passing, passing);
    assert.deepEqual([counts['tests'], counts['pass'], counts['fail'], failed, succeeded], [3, 3, 0, [], true]);
  });

  const failures: [name: string, source: string, expected: RegExp][] = [
    ['a test that fails', "it('fails', () => { throw new Error('no'); });", /^fails$/],
    ['a file that does not load', "throw new Error('no');", /file-1\.mjs$/],
    ['a file that imports what is not there', "await import('./absent.mjs');", /file-1\.mjs$/],
    ['an error that nobody awaits', "it('late', () => { void Promise.reject(new Error('no')); });", /./],
  ];
  for (const [name, source, expected] of failures) {
    it(`sees ${name}, and runs the others`, async () => {
      const { counts, failed, succeeded } = await runTogether(passing, source, passing);
      assert.equal(succeeded, false);
      assert.ok(
        failed.some((test) => expected.test(test)),
        failed.join(', '),
      );
      assert.ok((counts['pass'] ?? 0) >= 2, JSON.stringify(counts));
    });
  }

  it('tells what was left out, and does not believe a run without tests', async () => {
    const { leftOut } = await runTogether("it('skipped', { skip: 'for a reason' }, () => {});");
    assert.deepEqual(leftOut, ['skipped: for a reason']);
  });
});
