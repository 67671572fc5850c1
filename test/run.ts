/**
 * Runs the tests: `node --import tsx test/run.ts [part of a file name]…`
 *
 * Installs the Debian packages of the tiers that the files declare, runs all files under `node --test`, then reports each
 * tier by name, the mutations that ran, and node's counts. In CI (CI=true) a tier that cannot run, a skipped or todo
 * test, and fewer mutations than `mutationsInCi` are failures too.
 */
import { readFile, readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec as SpecReporter } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { installPackages, isDebian } from './lab/debian.ts';
import type { PropertyRecord } from './lab/count-mutations.ts';
import { scratchFolder } from './lab/scratch.ts';
import { readRecords, recordFolderVariable } from './lab/tier-record.ts';
import type { TierRecord } from './lab/tier-record.ts';
import { isTierName, tiers } from './lab/tiers.ts';
import type { TierName } from './lab/tiers.ts';

/** The least number of fast-check runs that a whole run in CI must have made. */
const mutationsInCi = 100_000;
/** fast-check runs per property: CI, and everywhere else. The environment variable SSPI_AUTH_FUZZ_RUNS overrides it. */
const runsPerProperty = { ci: 20_000, elsewhere: 2000 };

/** Milliseconds that one test file may take: a handle left open by a failed test must not hold up the run for ever. */
const fileTimeout = 300_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const inCi = process.env['CI'] === 'true';
const progress = (message: string): void => console.log(`test ground: ${message}`);

interface TestFile {
  readonly path: string;
  readonly tiers: readonly TierName[];
}

/** All test files whose path holds one of the filters, with the tiers they name in calls of tier or requirePackages. */
async function testFiles(filters: readonly string[]): Promise<TestFile[]> {
  const entries = await readdir(join(root, 'test'), { recursive: true });
  const paths = entries
    .map((entry) => join('test', entry))
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .sort();
  return Promise.all(
    paths.map(async (path) => {
      const source = await readFile(join(root, path), 'utf8');
      const names = [...source.matchAll(/\b(?:tier|requirePackages)\(\s*'([^']+)'/g)].map(([, name]) => name ?? '');
      return { path, tiers: [...new Set(names)].filter(isTierName) };
    }),
  );
}

/** Installs what the files need before they run, so that no test waits for it. What fails here fails again in a test. */
async function prepare(files: readonly TestFile[]): Promise<void> {
  const packages = new Set(files.flatMap((file) => file.tiers.flatMap((name) => tiers[name].packages)));
  try {
    await installPackages([...packages], progress);
  } catch (error) {
    progress(error instanceof Error ? error.message : String(error));
  }
}

interface TestCounts {
  /** As node's own summary names them: tests, pass, fail, cancelled, skipped, todo. */
  readonly byName: ReadonlyMap<string, number>;
  /** Skipped and todo tests, as `name: reason`. */
  readonly leftOut: readonly string[];
  /** Names of tests, suites and files that failed. A suite whose `after` failed is not in node's own count. */
  readonly failed: readonly string[];
}

/** Runs each file in a process of its own, with this process's `--import`s, and shows node's report as it grows. */
async function runNode(files: readonly TestFile[]): Promise<TestCounts> {
  const byName = new Map<string, number>();
  const leftOut: string[] = [];
  const failed: string[] = [];
  const note = ({ name, skip, todo }: { name: string; skip?: string | boolean; todo?: string | boolean }): void => {
    const why = skip ?? todo ?? false;
    if (why !== false) leftOut.push(why === true ? name : `${name}: ${why}`);
  };
  process.execArgv.push('--import', new URL('lab/count-mutations.ts', import.meta.url).href);
  const stream = run({
    files: files.map(({ path }) => join(root, path)),
    concurrency: Math.min(2, availableParallelism()),
    timeout: fileTimeout,
  });
  stream.on('test:pass', note);
  stream.on('test:fail', (test) => {
    note(test);
    failed.push(test.name);
  });
  stream.on('test:diagnostic', ({ message }) => {
    const [, name, count] = /^([a-z]+) (\d+)$/.exec(message) ?? [];
    if (name !== undefined) byName.set(name, Number(count));
  });
  await pipeline(stream, new SpecReporter(), process.stdout, { end: false });
  return { byName, leftOut, failed };
}

/** Prints each tier by name. Gives what is wrong with them in CI. */
function reportTiers(files: readonly TestFile[], records: readonly TierRecord[], everything: boolean): string[] {
  const problems: string[] = [];
  const pure = files.filter((file) => file.tiers.length === 0).length;
  console.log(`\nTiers:\n  0 pure: ${pure === 0 ? 'not selected' : `ran (${pure} files)`}`);
  for (const [name, { level, proves }] of Object.entries(tiers)) {
    const users = files.filter((file) => file.tiers.includes(name as TierName)).length;
    const own = records.filter((record) => record.tier === name);
    const reason = own.find((record) => record.reason !== undefined)?.reason;
    let state = `ran (${users} files)`;
    if (reason !== undefined) {
      state = `could not run: ${reason}`;
      if (isDebian()) problems.push(`tier ${name} could not run`);
    } else if (users === 0) {
      state = everything ? 'could not run: no test file uses it' : 'not selected';
    } else if (own.length === 0) {
      state = 'could not run: its test files ended before they declared it';
      problems.push(`tier ${name} did not run`);
    }
    console.log(`  ${level} ${name} (${proves}): ${state}`);
  }
  return problems;
}

async function main(filters: readonly string[]): Promise<number> {
  const files = await testFiles(filters);
  if (files.length === 0) {
    console.error(`no test file matches ${filters.join(' ')}`);
    return 1;
  }
  await using folder = await scratchFolder('records');
  await prepare(files);
  progress(`running ${files.length} test files`);
  process.env['SSPI_AUTH_FUZZ_RUNS'] ??= String(inCi ? runsPerProperty.ci : runsPerProperty.elsewhere);
  process.env[recordFolderVariable] = folder.path;
  const { byName, leftOut, failed } = await runNode(files);

  const everything = filters.length === 0;
  const problems = reportTiers(files, readRecords(folder.path, 'tier') as TierRecord[], everything);
  const properties = readRecords(folder.path, 'property') as PropertyRecord[];
  const mutations = properties.reduce((sum, { runs }) => sum + runs, 0);
  console.log(
    `\nProperties: ${properties.length} with ${mutations} fast-check runs (counted by lab/count-mutations.ts)`,
  );
  if (everything && mutations < mutationsInCi) problems.push(`${mutations} mutations, not ${mutationsInCi}`);
  for (const name of leftOut) problems.push(`left out: ${name}`);
  if (problems.length > 0) console.log(`\n${inCi ? 'Failures' : 'Would fail'} in CI:\n  ${problems.join('\n  ')}`);

  console.log('');
  for (const [name, count] of byName) console.log(`# ${name} ${count}`);
  for (const name of failed) console.log(`failed: ${name}`);
  const counted = (byName.get('fail') ?? 1) > 0 || (byName.get('cancelled') ?? 1) > 0 || byName.get('tests') === 0;
  return counted || failed.length > 0 || (inCi && problems.length > 0) ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
