/** Which unit tests run which part of a source file: what V8 counted while each test file ran alone. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProcess } from '../process.ts';
import { scratchFolder } from '../scratch.ts';

/** A part of a file and how often it ran; a later range within an earlier one counts for its own part. */
interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** What one test file ran. */
export interface TestCoverage {
  /** Path of the test file from the root. */
  readonly test: string;
  /** Milliseconds that it took. */
  readonly duration: number;
  readonly passed: boolean;
  /** Of each source file, by its path from the root. */
  readonly files: ReadonlyMap<string, readonly Range[]>;
}

/**
 * Runs a test file alone and tells what it ran.
 *
 * @param node executable that runs TypeScript as it stands, so that V8's offsets are those of the source
 * @param folder that holds the sources and tests
 */
export async function coverageOf(node: string, folder: string, test: string): Promise<TestCoverage> {
  await using output = await scratchFolder('mutation-coverage');
  const started = performance.now();
  const { code } = await runProcess(node, ['--disable-warning=ExperimentalWarning', join(folder, test)], {
    cwd: folder,
    env: { NODE_V8_COVERAGE: output.path },
    timeout: 300_000,
  });
  const duration = performance.now() - started;
  const files = new Map<string, Range[]>();
  for (const name of await readdir(output.path)) {
    const { result } = JSON.parse(await readFile(output.file(name), 'utf8')) as { result: readonly ScriptCoverage[] };
    for (const script of result) {
      if (!script.url.startsWith('file:')) continue;
      const path = fileURLToPath(script.url);
      if (!path.startsWith(join(folder, 'src/')) && !path.startsWith(join(folder, 'adapters/'))) continue;
      const own = path.slice(folder.length + 1);
      const ranges = files.get(own) ?? [];
      ranges.push(...script.functions.flatMap((one) => one.ranges));
      files.set(own, ranges);
    }
  }
  return { test, duration, passed: code === 0, files };
}

/** Whether a place was run: the smallest range around it says so. */
export function isCovered(ranges: readonly Range[] | undefined, offset: number): boolean {
  let smallest = Infinity;
  let count = 0;
  for (const range of ranges ?? []) {
    const size = range.endOffset - range.startOffset;
    if (range.startOffset > offset || range.endOffset <= offset || size > smallest) continue;
    // Two processes of one test may have run the same part: one of them is enough.
    count = size === smallest ? Math.max(count, range.count) : range.count;
    smallest = size;
  }
  return count > 0;
}
