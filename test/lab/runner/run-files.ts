/** Runs test files under node:test and counts what came of them. */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec as SpecReporter } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';
import type { ScratchFolder } from '../scratch.ts';
import { asTheyStand } from './bundles.ts';
import type { RunnableTests } from './bundles.ts';
import { root } from './test-files.ts';
import type { TestFile } from './test-files.ts';

/** What came of a run. */
export interface TestCounts {
  /** As node's own summary names them: tests, pass, fail, cancelled, skipped, todo. */
  readonly byName: ReadonlyMap<string, number>;
  /** Skipped and todo tests, as `name: reason`. */
  readonly leftOut: readonly string[];
  /** Names of tests, suites and files that failed. A suite whose `after` failed is not in node's own count. */
  readonly failed: readonly string[];
  /** Milliseconds of each file's tests, without the start of its process. Batches count as one file. */
  readonly durations: ReadonlyMap<string, number>;
}

/** What node says of a test that ended, as far as it is used here. */
interface EndedTest {
  readonly nesting: number;
  readonly file?: string | undefined;
  readonly details: { readonly duration_ms: number };
}

/** Processes at once: one more than processors, because tests wait for their counterparts. Memory is finite. */
const concurrency = Math.min(3, availableParallelism() + 1);

/**
 * Makes a few files that import many: a process and the modules they have in common are then paid for once, which is
 * two thirds of the time of the unit tests. What is lost is isolation, so `npm run test:full` runs each file in its own
 * process.
 *
 * @returns paths of the files, in `folder`
 */
export async function writeBatches(
  files: readonly TestFile[],
  folder: ScratchFolder,
  tests: RunnableTests = asTheyStand,
): Promise<string[]> {
  const batches: TestFile[][] = Array.from({ length: Math.min(concurrency, files.length) }, () => []);
  // Largest first, dealt in turn.
  const bySize = [...files].sort((a, b) => b.size - a.size);
  for (const [index, file] of bySize.entries()) batches[index % batches.length]?.push(file);
  return Promise.all(
    batches.map(async (batch, index) => {
      const entries = batch.map(({ path }) => {
        const source = resolve(root, path);
        return [pathToFileURL(source).href, pathToFileURL(tests.programOf(source)).href];
      });
      const path = folder.file(`batch-${index + 1}.mjs`);
      // count-mutations.ts looks for the word in the file that node starts.
      const mark = batch.some(({ hasProperties }) => hasProperties) ? "// 'fast-check'\n" : '';
      await writeFile(
        path,
        `${mark}import { before, it } from 'node:test';
// What a file does as it is loaded would else happen in the middle of another one's tests.
let loaded;
const loading = new Promise((resolve) => { loaded = resolve; });
before(() => loading);
for (const [source, program] of ${JSON.stringify(entries, null, 2)}) {
  try {
    await import(program);
  } catch (error) {
    it(source, () => {
      throw error;
    });
  }
}
loaded();
`,
      );
      return path;
    }),
  );
}

/**
 * Runs each path in a process of its own and shows node's report as it grows.
 *
 * @param paths of test files' sources, or of batches
 * @param timeout milliseconds that one of them may take: a handle left open by a failed test must not hold up the run
 *   for ever
 * @param tests how the test files are started
 */
export async function runFiles(
  paths: readonly string[],
  timeout: number,
  tests: RunnableTests = asTheyStand,
): Promise<TestCounts> {
  const byName = new Map<string, number>();
  const leftOut: string[] = [];
  const failed: string[] = [];
  const durations = new Map<string, number>();
  const addDuration = ({ nesting, file, details }: EndedTest): void => {
    if (nesting !== 0 || file === undefined) return;
    const source = tests.sourceOf(file);
    durations.set(source, (durations.get(source) ?? 0) + details.duration_ms);
  };
  const note = ({ name, skip, todo }: { name: string; skip?: string | boolean; todo?: string | boolean }): void => {
    const why = skip ?? todo ?? false;
    if (why !== false) leftOut.push(why === true ? name : `${name}: ${why}`);
  };
  // node:test gives them to the processes of the tests.
  process.execArgv = [...tests.execArgv];
  const stream = run({ files: paths.map(tests.programOf), concurrency, timeout });
  stream.on('test:pass', (test) => {
    note(test);
    addDuration(test);
  });
  stream.on('test:fail', (test) => {
    note(test);
    addDuration(test);
    failed.push(tests.sourceOf(test.name));
  });
  stream.on('test:diagnostic', ({ message }) => {
    const [, name, count] = /^([a-z]+) (\d+)$/.exec(message) ?? [];
    if (name !== undefined) byName.set(name, Number(count));
  });
  await pipeline(stream, new SpecReporter(), process.stdout, { end: false });
  return { byName, leftOut, failed, durations };
}

/** Whether a run is to be believed: something ran, and nothing of it failed or was cancelled. */
export function succeeded({ byName, failed }: TestCounts): boolean {
  const count = (name: string): number | undefined => byName.get(name);
  return failed.length === 0 && count('fail') === 0 && count('cancelled') === 0 && (count('tests') ?? 0) > 0;
}
