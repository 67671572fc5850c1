/**
 * Runs the benchmarks: `npm run bench [-- part of a file name… --nodes 20,22,24,26 --against FOLDER]`
 *
 * Measures what `npm run build` made, on the Node that runs this or on each that is named, one after the other: every
 * process that is measured, and the one that measures, is of that Node. All sides of a comparison run in the same rounds on
 * the same Node, so a busy machine changes the figures more than the ratios. Prints a table for each Node and writes it,
 * with every round and the machine, to .scratch/bench/; with several Nodes another table has them side by side.
 *
 * `--against`: a checkout of another commit with its own build in dist/. Keep-alive requests and NTLM sign-ins are then
 * measured with its servers beside ours, in the same rounds.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nodeBinary } from '../test/lab/node-binary.ts';
import { againstVariable } from './measured-build.ts';
import { tableByNode } from './report.ts';
import type { Report } from './report.ts';

const program = fileURLToPath(new URL('benchmark-run.ts', import.meta.url));
const folder = fileURLToPath(new URL('.', import.meta.url));
const results = fileURLToPath(new URL('../.scratch/bench/', import.meta.url));
/** Of `engines` in package.json. */
const oldestMajor = 20;

/** What the command line asks for. */
interface Plan {
  /** File names, in order. */
  readonly benchmarks: readonly string[];
  /** Majors of Node; empty: the one that runs this. */
  readonly majors: readonly number[];
  /** Root of another checkout, where one is to be compared with. */
  readonly against: string | undefined;
}

/** @throws Error for an option that there is not, a part of a name that no benchmark has, and what is no list of majors */
async function readCommandLine(): Promise<Plan> {
  const options = { nodes: { type: 'string' }, against: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const all = (await readdir(folder)).filter((name) => name.endsWith('.bench.ts')).sort();
  for (const part of positionals) {
    if (!all.some((name) => name.includes(part))) {
      throw new Error(`no benchmark has ${JSON.stringify(part)} in its name; there are ${all.join(', ')}`);
    }
  }
  const benchmarks = all.filter((name) => positionals.length === 0 || positionals.some((part) => name.includes(part)));
  return { benchmarks, majors: majorsOf(values.nodes), against: builtCheckout(values.against) };
}

/** @throws Error where the folder has no build to measure */
function builtCheckout(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const root = resolve(path);
  if (!existsSync(join(root, 'dist/src/index.js'))) {
    throw new Error(`--against is ${root}, which has no build: run npm ci && npm run build there`);
  }
  return root;
}

function majorsOf(list: string | undefined): readonly number[] {
  if (list === undefined) return [];
  if (!/^\d{1,3}(,\d{1,3})*$/.test(list)) {
    throw new Error(`--nodes is ${JSON.stringify(list)}: give majors of Node, such as --nodes 20,22,24,26`);
  }
  const majors = [...new Set(list.split(',').map(Number))];
  const old = majors.find((major) => major < oldestMajor);
  if (old !== undefined) throw new Error(`--nodes names ${old}: this package needs Node ${oldestMajor} or later`);
  return majors;
}

/**
 * One run on one Node, shown as it goes on.
 *
 * @param path the report, which it writes
 * @returns its exit code; 1 where a signal ended it
 */
async function run(binary: string, path: string, { benchmarks, against }: Plan): Promise<number> {
  const env = {
    ...process.env,
    ...(against === undefined ? undefined : { [againstVariable]: against }),
    // tsx follows the paths of tsconfig.json to the source: without them `sspi-auth` is the built package.
    TSX_TSCONFIG_PATH: fileURLToPath(new URL('built.tsconfig.json', import.meta.url)),
    // What is started as `node`, npm among it, is of the same release.
    PATH: `${dirname(binary)}${delimiter}${process.env['PATH'] ?? ''}`,
  };
  const child = spawn(binary, [...process.execArgv, program, path, ...benchmarks], { stdio: 'inherit', env });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

async function main(): Promise<number> {
  const plan = await readCommandLine();
  const { majors } = plan;
  const date = new Date().toISOString().replaceAll(':', '-');
  await mkdir(results, { recursive: true });
  // All of them before the first is measured: what cannot be had is known at once.
  const nodes: { readonly binary: string; readonly file: string }[] = [];
  for (const major of majors) nodes.push({ binary: await nodeBinary(major), file: `${date}-node-${major}.json` });
  if (nodes.length === 0) nodes.push({ binary: process.execPath, file: `${date}.json` });
  const reports: Report[] = [];
  let failures = 0;
  for (const { binary, file } of nodes) {
    const path = join(results, file);
    if ((await run(binary, path, plan)) !== 0) failures++;
    try {
      reports.push(JSON.parse(await readFile(path, 'utf8')) as Report);
    } catch {
      console.error(`no report of ${binary}`);
    }
  }
  if (nodes.length > 1) console.log(tableByNode(reports));
  return failures === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
