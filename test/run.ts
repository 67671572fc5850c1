/**
 * Runs the tests: `node --import tsx test/run.ts [--full] [--unit] [--packed] [part of a file name]…`
 *
 * With no option it installs the Debian packages of the tiers that the files declare, runs the unit tests in a few
 * processes and every other file in one of its own, then reports each tier by name, the mutations that ran, the slowest
 * files, and node's counts. In CI (CI=true) unit tests and packed-consumer tests run on other releases of Node as well,
 * and a tier or a Node that cannot run, a skipped or todo test, and fewer mutations than `mutationsInCi` are failures
 * too.
 *
 * - `--full`: every row of every matrix (test/lab/matrix.ts), and each file in a process of its own.
 * - `--unit`, `--packed`: only tests that need nothing but Node, only those of the packed tarball (after `npm run
 *   build`), or both. Unit tests share a few processes.
 * - `--properties`: only files of unit tests with properties of fast-check, and a million altered tokens to all acceptors
 *   of Kerberos, without a limit of time.
 * - `--nodes [major]…`: unit and packed-consumer tests on other releases of Node.
 * - `--except part`: leaves out files whose path holds this part; may be given several times.
 */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages } from './lab/debian.ts';
import type { PropertyRecord } from './lab/count-mutations.ts';
import { full, matrixVariable } from './lab/matrix.ts';
import type { MatrixRecord } from './lab/matrix.ts';
import { nodeMajors } from './lab/node-binary.ts';
import { bundleTests } from './lab/runner/bundles.ts';
import { describeNode, reportNodes, runOnNode } from './lab/runner/other-nodes.ts';
import type { NodeResult } from './lab/runner/other-nodes.ts';
import { runFiles, succeeded, writeBatches } from './lab/runner/run-files.ts';
import type { TestCounts } from './lab/runner/run-files.ts';
import { root, testFiles } from './lab/runner/test-files.ts';
import type { TestFile } from './lab/runner/test-files.ts';
import { reportTiers } from './lab/runner/tier-report.ts';
import { scratchFolder } from './lab/scratch.ts';
import type { ScratchFolder } from './lab/scratch.ts';
import { readRecords, recordFolderVariable } from './lab/tier-record.ts';
import type { TierRecord } from './lab/tier-record.ts';
import { tierDescription } from './lab/tiers.ts';

/** The least number of fast-check runs that a whole run in CI must have made. */
const mutationsInCi = 100_000;
/** fast-check runs per property. The environment variable SSPI_AUTH_FUZZ_RUNS overrides it. */
const runsPerProperty = { ci: 2500, elsewhere: 2000, unit: 500, nodes: 200, fuzz: 200_000 };

/** Milliseconds that one file may take; one with every row of a matrix may take longer. */
const fileTimeout = (): number => (full() ? 900_000 : 300_000);

/** Files that the report of a whole run names by their duration. */
const slowestFiles = 20;

const inCi = process.env['CI'] === 'true';
const progress = (message: string): void => console.log(`test ground: ${message}`);

const { values: options, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: false },
    unit: { type: 'boolean', default: false },
    packed: { type: 'boolean', default: false },
    properties: { type: 'boolean', default: false },
    nodes: { type: 'boolean', default: false },
    except: { type: 'string', multiple: true, default: [] },
  },
});

/** Installs what the files need before they run, so that no test waits for it. What fails here fails again in a test. */
async function prepare(files: readonly TestFile[]): Promise<void> {
  const names = files.flatMap((file) => file.tiers).filter((name) => full() || !tierDescription(name).fullOnly);
  const packages = new Set(names.flatMap((name) => tierDescription(name).packages));
  try {
    await installPackages([...packages], progress);
  } catch (error) {
    progress(error instanceof Error ? error.message : String(error));
  }
}

/** Prints how many properties ran, and how often. Gives the sum. */
function reportProperties(records: readonly PropertyRecord[]): number {
  const mutations = records.reduce((sum, { runs }) => sum + runs, 0);
  console.log(`\nProperties: ${records.length} with ${mutations} fast-check runs (counted by lab/count-mutations.ts)`);
  return mutations;
}

/** Prints which mode ran: the core or every row. */
function reportMatrices(records: readonly MatrixRecord[]): void {
  const rows = records.reduce((sum, record) => sum + record.rows, 0);
  const all = records.reduce((sum, record) => sum + record.of, 0);
  const mode = full() ? 'full: every row of every matrix' : 'core: one row of each kind (npm run test:full runs all)';
  const ran = records.length === 0 ? 'no matrix was asked' : `${rows} of ${all} rows of ${records.length} matrices ran`;
  console.log(`Mode: ${mode}; ${ran}`);
}

/** Where the time goes: what takes long belongs to the matrices of `npm run test:full`. */
function reportSlowest({ durations }: TestCounts): void {
  const slowest = [...durations].sort(([, a], [, b]) => b - a).slice(0, slowestFiles);
  console.log('\nSlowest files (seconds):');
  for (const [file, ms] of slowest) console.log(`  ${(ms / 1000).toFixed(1).padStart(6)} ${relative(root, file)}`);
}

/** Node's own counts, which close the report. */
function reportCounts({ byName, failed }: TestCounts): void {
  console.log('');
  for (const [name, count] of byName) console.log(`# ${name} ${count}`);
  for (const name of failed) console.log(`failed: ${name}`);
}

/** Runs files as JavaScript: first each of those that have a process of their own, then those that share a few. */
async function runBundled(
  files: readonly TestFile[],
  together: readonly TestFile[],
  folder: ScratchFolder,
  timeout: number,
): Promise<TestCounts> {
  await using tests = await bundleTests(files.map(({ path }) => join(root, path)));
  const alone = files.filter((file) => !together.includes(file)).map(({ path }) => join(root, path));
  return await runFiles([...alone, ...(await writeBatches(together, folder, tests))], timeout, tests);
}

/** The tests of tier 0 and those of the packed tarball, without what a whole run reports. */
async function runSelected(isSelected: (file: TestFile) => boolean, runs: number, timeout: number): Promise<number> {
  const files = (await testFiles(words, options.except)).filter(isSelected);
  if (files.length === 0) {
    console.error('no test file matches');
    return 1;
  }
  await using folder = await scratchFolder('run');
  process.env['SSPI_AUTH_FUZZ_RUNS'] ??= String(runs);
  process.env[recordFolderVariable] = folder.path;
  const together = options.properties ? [] : files.filter(({ kind }) => kind === 'unit');
  // Packed-consumer tests wait for npm and tsc most of the time: they start first, beside the batches.
  const counts = await runBundled(files, together, folder, timeout);
  reportProperties(readRecords(folder.path, 'property') as PropertyRecord[]);
  reportCounts(counts);
  return succeeded(counts) ? 0 : 1;
}

async function runOnNodes(majors: readonly number[]): Promise<number> {
  const results: NodeResult[] = [];
  const runs = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? runsPerProperty.unit);
  for (const major of majors) results.push(await runOnNode(major, progress, runs, true));
  console.log(`\nNodes:\n  ${results.map(describeNode).join('\n  ')}`);
  return results.every(({ passed }) => passed) ? 0 : 1;
}

/** Every test, or those in the files that were named. */
async function runAll(): Promise<number> {
  const files = await testFiles(words, options.except);
  if (files.length === 0) {
    console.error(`no test file matches ${words.join(' ')}`);
    return 1;
  }
  const everything = words.length === 0;
  await using folder = await scratchFolder('records');
  await prepare(files);
  progress(`running ${files.length} test files`);
  process.env['SSPI_AUTH_FUZZ_RUNS'] ??= String(inCi ? runsPerProperty.ci : runsPerProperty.elsewhere);
  process.env[recordFolderVariable] = folder.path;
  // A process for each file of unit tests is two minutes more: in the full mode. What takes long starts first.
  const together = full() ? [] : files.filter(({ kind }) => kind === 'unit');
  const counts = await runBundled(files, together, folder, fileTimeout());
  const nodes = everything && inCi ? await runOnOtherNodes() : undefined;

  const problems = reportTiers(files, readRecords(folder.path, 'tier') as TierRecord[], everything);
  problems.push(...reportNodes(nodes));
  const mutations = reportProperties(readRecords(folder.path, 'property') as PropertyRecord[]);
  if (everything && mutations < mutationsInCi) problems.push(`${mutations} mutations, not ${mutationsInCi}`);
  for (const name of counts.leftOut) problems.push(`left out: ${name}`);
  if (problems.length > 0) console.log(`\n${inCi ? 'Failures' : 'Would fail'} in CI:\n  ${problems.join('\n  ')}`);
  reportSlowest(counts);
  reportMatrices(readRecords(folder.path, 'matrix') as MatrixRecord[]);
  reportCounts(counts);
  return succeeded(counts) && !(inCi && problems.length > 0) ? 0 : 1;
}

/** The releases of Node that this process is not one of: on its own all tests have just run. */
async function runOnOtherNodes(): Promise<NodeResult[]> {
  const own = Number.parseInt(process.versions.node, 10);
  const results: NodeResult[] = [];
  for (const major of nodeMajors) {
    if (major !== own) results.push(await runOnNode(major, progress, runsPerProperty.nodes, false));
  }
  return results;
}

async function main(): Promise<number> {
  if (options.full) process.env[matrixVariable] = 'full';
  if (options.nodes) {
    const majors = words.map(Number);
    if (majors.some((major) => !Number.isInteger(major))) {
      console.error(`majors of Node, such as ${nodeMajors.join(' ')}, not ${words.join(' ')}`);
      return 1;
    }
    return runOnNodes(majors.length === 0 ? nodeMajors : majors);
  }
  if (options.properties) {
    const endless = 24 * 60 * 60_000;
    process.env['SSPI_AUTH_DIFFERENTIAL_RUNS'] ??= '1000000';
    process.env[matrixVariable] = 'full';
    const isFuzzed = ({ kind, hasProperties, path }: TestFile): boolean =>
      (kind === 'unit' && hasProperties) || path.endsWith('/differential.live.test.ts');
    return runSelected(isFuzzed, runsPerProperty.fuzz, endless);
  }
  const kinds = [...(options.unit ? ['unit'] : []), ...(options.packed ? ['packed'] : [])];
  if (kinds.length === 0) return runAll();
  const runs = inCi ? runsPerProperty.elsewhere : runsPerProperty.unit;
  return runSelected(({ kind }) => kinds.includes(kind), runs, fileTimeout());
}

process.exitCode = await main();
