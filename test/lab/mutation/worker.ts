/** A copy of the sources and tests in which mutants are tried, one at a time. */
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { root } from '../runner/test-files.ts';
import type { ScratchFolder } from '../scratch.ts';
import type { Mutant } from './mutants.ts';

/** What became of a mutant. `uncovered`: no test runs that place. */
export type Fate = 'killed' | 'timeout' | 'survived' | 'uncovered';

/** What the tests import, and what they read. */
const copied = [
  'adapters',
  'docs',
  'examples',
  'src',
  'test',
  'package.json',
  'tsconfig.json',
  'README.md',
  'CHANGELOG.md',
];

/** Copies what the tests need; packages are those of the repository. */
export async function copySources(folder: ScratchFolder): Promise<void> {
  for (const name of copied) await cp(join(root, name), folder.file(name), { recursive: true });
  await symlink(join(root, 'node_modules'), folder.file('node_modules'));
}

/** Runs a test file; its whole process group ends after `timeout` milliseconds. */
async function runTest(node: string, folder: string, test: string, timeout: number): Promise<'pass' | 'fail' | 'time'> {
  const env: NodeJS.ProcessEnv = { ...process.env };
  delete env['NODE_TEST_CONTEXT'];
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', join(folder, test)], {
    cwd: folder,
    env,
    stdio: 'ignore',
    detached: true,
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, timeout);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(timer);
  if (late) return 'time';
  return code === 0 ? 'pass' : 'fail';
}

/**
 * Puts a fault into its file, runs tests until one fails, and restores the file.
 *
 * @param tests in the order in which they are run, with the milliseconds that each takes without the fault
 */
export async function tryMutant(
  node: string,
  folder: ScratchFolder,
  mutant: Mutant,
  tests: readonly { readonly test: string; readonly duration: number }[],
): Promise<{ fate: Fate; by?: string }> {
  if (tests.length === 0) return { fate: 'uncovered' };
  const path = folder.file(mutant.path);
  const before = await readFile(path, 'utf8');
  await writeFile(path, before.slice(0, mutant.start) + mutant.replacement + before.slice(mutant.end));
  try {
    for (const { test, duration } of tests) {
      // A fault may make a loop endless. Slower than this is no noise of the machine.
      const result = await runTest(node, folder.path, test, 10_000 + duration * 5);
      if (result === 'fail') return { fate: 'killed', by: test };
      if (result === 'time') return { fate: 'timeout', by: test };
    }
    return { fate: 'survived' };
  } finally {
    await writeFile(path, before);
  }
}
