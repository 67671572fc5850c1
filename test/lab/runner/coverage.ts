/**
 * Which lines, branches and functions of src and adapters the unit tests run: node's own coverage, by folder.
 *
 * Node counts in what it has compiled. Node 24 and newer run TypeScript as it stands, with every line where it was, so
 * that no source map stands between; an older one lends the work to a Node from the npm registry.
 */
import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodeBinary } from '../node-binary.ts';
import { scratchFolder } from '../scratch.ts';
import { writeBatches } from './run-files.ts';
import { root, testFiles } from './test-files.ts';

/** The oldest Node that runs all of the TypeScript here by itself: `await using` came with it. */
const oldest = 24;

/** Counts of a file or of a folder, covered and of all. */
interface Counts {
  lines: [covered: number, all: number];
  branches: [covered: number, all: number];
  functions: [covered: number, all: number];
}

/** What the event `test:coverage` tells of each file. */
interface FileCoverage {
  readonly path: string;
  readonly totalLineCount: number;
  readonly coveredLineCount: number;
  readonly totalBranchCount: number;
  readonly coveredBranchCount: number;
  readonly totalFunctionCount: number;
  readonly coveredFunctionCount: number;
}

function byFolder(files: readonly FileCoverage[]): Map<string, Counts> {
  const folders = new Map<string, Counts>();
  const add = (name: string, file: FileCoverage): void => {
    const counts = folders.get(name) ?? { lines: [0, 0], branches: [0, 0], functions: [0, 0] };
    counts.lines = [counts.lines[0] + file.coveredLineCount, counts.lines[1] + file.totalLineCount];
    counts.branches = [counts.branches[0] + file.coveredBranchCount, counts.branches[1] + file.totalBranchCount];
    counts.functions = [counts.functions[0] + file.coveredFunctionCount, counts.functions[1] + file.totalFunctionCount];
    folders.set(name, counts);
  };
  for (const file of files) {
    add(dirname(relative(root, file.path)).replaceAll('\\', '/'), file);
    add('all', file);
  }
  return new Map([...folders].sort(([a], [b]) => (a === 'all' ? 1 : b === 'all' ? -1 : a.localeCompare(b))));
}

function table(folders: ReadonlyMap<string, Counts>): string {
  const percent = ([covered, all]: readonly [number, number]): string =>
    (all === 0 ? '' : ((100 * covered) / all).toFixed(1)).padStart(10);
  const width = Math.max(...[...folders.keys()].map((name) => name.length));
  const head = `${'folder'.padEnd(width)}   lines %  branch %    func %`;
  const rows = [...folders].map(
    ([name, { lines, branches, functions }]) =>
      name.padEnd(width) + percent(lines) + percent(branches) + percent(functions),
  );
  return [head, ...rows].join('\n');
}

/** Source files that no unit test loads, which the coverage does not know of. */
async function neverLoaded(files: readonly FileCoverage[]): Promise<string[]> {
  const loaded = new Set(files.map(({ path }) => path));
  const sources: string[] = [];
  for (const folder of ['src', 'adapters']) {
    const entries = await readdir(join(root, folder), { recursive: true });
    sources.push(...entries.filter((entry) => entry.endsWith('.ts')).map((entry) => join(root, folder, entry)));
  }
  return sources.filter((path) => !loaded.has(path)).map((path) => relative(root, path));
}

async function main(): Promise<number> {
  const units = (await testFiles([])).filter(({ kind }) => kind === 'unit');
  await using folder = await scratchFolder('coverage');
  const options = {
    files: await writeBatches(units, folder),
    concurrency: 2,
    coverage: true,
    coverageIncludeGlobs: ['src/**/*.ts', 'adapters/**/*.ts'],
  };
  let files: readonly FileCoverage[] = [];
  const failed: string[] = [];
  const stream = run(options);
  stream.on('test:fail', ({ name }) => failed.push(name));
  stream.on('test:coverage', ({ summary }) => {
    ({ files } = summary);
  });
  stream.on('test:stderr', ({ message }) => process.stderr.write(message));
  stream.resume();
  await new Promise((resolve) => stream.once('end', resolve));
  if (files.length === 0) throw new Error('node counted nothing');
  console.log(
    `Coverage of ${units.length} files of unit tests (Node ${process.version}):\n\n${table(byFolder(files))}`,
  );
  const untouched = await neverLoaded(files);
  if (untouched.length > 0) console.log(`\nLoaded by no unit test:\n  ${untouched.join('\n  ')}`);
  for (const name of failed) console.log(`failed: ${name}`);
  return failed.length === 0 ? 0 : 1;
}

/** Whether this Node reads the sources itself, with no loader between. */
const isPlain = !process.execArgv.some((word) => word.includes('tsx'));
const isNewEnough = Number.parseInt(process.versions.node, 10) >= oldest;
if (isPlain && isNewEnough) {
  process.exitCode = await main();
} else {
  const executable = isNewEnough ? process.execPath : await nodeBinary(oldest);
  const words = ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url)];
  const { status } = spawnSync(executable, words, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
