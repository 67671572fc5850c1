/** Unit tests and packed-consumer tests on other releases of Node: `npm run test:node -- 22 24`, and in CI. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, dirname } from 'node:path';
import { isDebian } from '../debian.ts';
import { full } from '../matrix.ts';
import { nodeBinary } from '../node-binary.ts';
import { runChecked } from '../process.ts';
import { root } from './test-files.ts';

/** What came of one Node. */
export interface NodeResult {
  readonly major: number;
  /** Why it could not be had. */
  readonly missing?: string;
  /** As `process.version` has it; left out where it could not be had. */
  readonly version?: string;
  /** Tests that ran. */
  readonly tests: number;
  readonly passed: boolean;
}

/** A Node that can be started. */
interface NodeRelease {
  /** As `process.version` has it. */
  readonly version: string;
  /** Absolute path of the program. */
  readonly executable: string;
  /** What to add to the environment, so that everything that looks for a `node` finds this one. */
  readonly env: { readonly PATH: string };
}

async function findRelease(major: number): Promise<NodeRelease> {
  const executable = await nodeBinary(major);
  const env = { PATH: `${dirname(executable)}${delimiter}${process.env['PATH'] ?? ''}` };
  const version = (await runChecked(executable, ['--version'])).trim();
  const found = (await runChecked('node', ['--version'], { env })).trim();
  if (found !== version) throw new Error(`${executable} is ${version}, and the first node of the PATH is ${found}`);
  return { version, executable, env };
}

const inPackage = (name: string): string => `test/package/${name}`;

/**
 * Tests in which no release of Node differs from another one: of documents, the tree and the test grounds, of runtimes
 * that bring themselves, and of bundlers, which make the same of the same files. The consumers of the tarball have a
 * matrix of Nodes of their own. `npm run test:full` runs them all on each Node all the same.
 */
const alikeOnEveryNode = ['test/project/', 'test/lab/', ...['runtimes', 'bundles', 'consumers'].map(inPackage)];

/** Runs this runner on another Node, which is also the `node` and the process.execPath of all that the tests start. */
async function runTests(
  release: NodeRelease,
  fuzzRuns: number,
  byHand: boolean,
): Promise<{ code: number | null; output: string }> {
  const left = full() || byHand ? [] : alikeOnEveryNode.flatMap((part) => ['--except', part]);
  const words = ['--import', 'tsx', 'test/run.ts', '--unit', '--packed', ...left];
  const child = spawn(release.executable, words, {
    cwd: root,
    env: { ...process.env, ...release.env, SSPI_AUTH_FUZZ_RUNS: String(fuzzRuns) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (byHand) process.stdout.write(text);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/**
 * Runs the tests on a major of Node.
 *
 * @param fuzzRuns of fast-check per property: what differs between releases of Node is no matter of inputs
 * @param byHand every test, printed as it goes; else those of which releases of Node may think differently, printed
 *   only where they fail
 */
export async function runOnNode(
  major: number,
  progress: (message: string) => void,
  fuzzRuns: number,
  byHand: boolean,
): Promise<NodeResult> {
  let release: NodeRelease;
  try {
    progress(`looking for Node ${major}`);
    release = await findRelease(major);
  } catch (error) {
    const missing = error instanceof Error ? error.message : String(error);
    return { major, missing, tests: 0, passed: false };
  }
  const { version } = release;
  progress(`unit and packed-consumer tests on Node ${version}`);
  const { code, output } = await runTests(release, fuzzRuns, byHand);
  const passed = code === 0;
  if (!passed && !byHand) process.stdout.write(output);
  return { major, version, tests: Number(/^# tests (\d+)$/m.exec(output)?.[1] ?? 0), passed };
}

/** One result in words. */
export function describeNode({ major, version, missing, tests, passed }: NodeResult): string {
  if (version === undefined) return `${major} could not run: ${missing ?? ''}`;
  return `${version} ${passed ? 'passed' : 'FAILED'} (${tests} tests)`;
}

/**
 * Prints the stage as the tiers are printed.
 *
 * @param results undefined where it was not selected
 * @returns what is wrong with it in CI
 */
export function reportNodes(results: readonly NodeResult[] | undefined): string[] {
  const state = results === undefined ? 'not selected' : `ran: ${results.map(describeNode).join(', ')}`;
  console.log(`  4 nodes (unit and packed-consumer tests on other releases of Node): ${state}`);
  return (results ?? []).flatMap(({ major, version, passed }) => {
    if (version === undefined) return isDebian() ? [`Node ${major} could not run`] : [];
    return passed ? [] : [`tests failed on Node ${version}`];
  });
}
