/**
 * Mutation check: `npm run mutate -- [--count N] [--seed TEXT] [--all] [part of a path]…`
 *
 * Puts small faults into `packages/`, `http/`, `authenticator/` and `formats/`, one at a time, in copies of the sources,
 * and runs the unit tests that run the changed place. A fault that no test notices has survived. Survivors that cannot be
 * killed stand in test/lab/mutation/survivors.json with the reason. Fails where fewer than 95 % are killed, and where a
 * survivor has no reason.
 *
 * - `--count`: how many faults, 300 by default; which ones, the seed decides and the code around them alone.
 * - `--all`: every fault. That takes hours.
 */
import { readFile, readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { coverageOf, isCovered } from './lab/mutation/covering-tests.ts';
import type { TestCoverage } from './lab/mutation/covering-tests.ts';
import { mutantsOf } from './lab/mutation/mutants.ts';
import type { Mutant } from './lab/mutation/mutants.ts';
import { chooseMutants } from './lab/mutation/selection.ts';
import { copySources, tryMutant } from './lab/mutation/worker.ts';
import type { Fate } from './lab/mutation/worker.ts';
import { nodeBinary } from './lab/node-binary.ts';
import { root, testFiles } from './lab/runner/test-files.ts';
import { scratchFolder } from './lab/scratch.ts';
import type { ScratchFolder } from './lab/scratch.ts';

/** The oldest Node that runs all of the TypeScript here by itself. */
const nodeMajor = 24;
const folders = ['src/packages', 'src/http', 'src/authenticator', 'src/formats'];
/** The least part of the faults that the unit tests must notice. */
const leastKilled = 0.95;

const { values: options, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '300' },
    seed: { type: 'string', default: 'sspi-auth' },
    all: { type: 'boolean', default: false },
  },
});

/** Runs an action for each item, two at a time where there are two processors; each lane has a place of its own. */
async function inLanes<T, L>(items: readonly T[], lanes: readonly L[], action: (item: T, lane: L) => Promise<void>) {
  const rest = [...items];
  await Promise.all(
    lanes.map(async (lane) => {
      for (let item = rest.shift(); item !== undefined; item = rest.shift()) await action(item, lane);
    }),
  );
}

async function allMutants(): Promise<Mutant[]> {
  const paths: string[] = [];
  for (const folder of folders) {
    const entries = await readdir(join(root, folder), { recursive: true });
    paths.push(...entries.filter((entry) => entry.endsWith('.ts')).map((entry) => `${folder}/${entry}`));
  }
  const wanted = paths.filter((path) => words.length === 0 || words.some((word) => path.includes(word)));
  const found = await Promise.all(
    wanted.sort().map(async (path) => mutantsOf(path, await readFile(join(root, path), 'utf8'))),
  );
  return found.flat();
}

/** Tests that run the place of a mutant: the one that mirrors its file first, then the fast ones. */
function testsFor(mutant: Mutant, coverage: readonly TestCoverage[]): TestCoverage[] {
  const room = mutant.path.slice('src/'.length, mutant.path.lastIndexOf('/'));
  const near = ({ test }: TestCoverage): number => (test.startsWith(`test/${room}/`) ? 0 : 1);
  return coverage
    .filter(({ files }) => isCovered(files.get(mutant.path), mutant.start))
    .sort((a, b) => near(a) - near(b) || a.duration - b.duration);
}

async function main(): Promise<number> {
  const node = await nodeBinary(nodeMajor);
  const every = await allMutants();
  const mutants = options.all ? every : chooseMutants(every, Number(options.count), options.seed);
  const laneCount = Math.min(4, availableParallelism());
  const lanes = await Promise.all(Array.from({ length: laneCount }, () => scratchFolder('mutation')));
  try {
    for (const lane of lanes) await copySources(lane);
    return await tryAll(node, mutants, every.length, lanes);
  } finally {
    for (const lane of lanes) await lane.remove();
  }
}

async function tryAll(node: string, mutants: readonly Mutant[], possible: number, lanes: readonly ScratchFolder[]) {
  const units = (await testFiles([])).filter(
    // What reads the sources as text would notice every fault, whether it matters or not.
    ({ kind, path }) => kind === 'unit' && !path.startsWith('test/project/') && !path.startsWith('test/lab/'),
  );
  console.log(`${possible} faults are possible, ${mutants.length} are tried. Coverage of ${units.length} test files …`);
  const coverage: TestCoverage[] = [];
  await inLanes(units, lanes, async ({ path }, lane) => {
    const one = await coverageOf(node, lane.path, path);
    if (one.passed) coverage.push(one);
    else console.log(`left out, since it fails without a fault: ${path}`);
  });
  coverage.sort((a, b) => (a.test < b.test ? -1 : 1));

  const fates = new Map<Fate, number>();
  const survivors: Mutant[] = [];
  let done = 0;
  await inLanes(mutants, lanes, async (mutant, lane) => {
    const { fate, by } = await tryMutant(node, lane, mutant, testsFor(mutant, coverage));
    fates.set(fate, (fates.get(fate) ?? 0) + 1);
    if (fate === 'survived' || fate === 'uncovered') survivors.push(mutant);
    done += 1;
    const where = `${mutant.path}:${mutant.line}`;
    console.log(`${done}/${mutants.length} ${fate} ${where} ${mutant.key}${by === undefined ? '' : ` [${by}]`}`);
  });
  return report(mutants, survivors, fates);
}

/** Prints what became of the faults. @returns the exit code */
async function report(mutants: readonly Mutant[], survivors: readonly Mutant[], fates: ReadonlyMap<Fate, number>) {
  const reasons = JSON.parse(
    await readFile(new URL('./lab/mutation/survivors.json', import.meta.url), 'utf8'),
  ) as Readonly<Record<string, string>>;
  const killed = mutants.length - survivors.length;
  const part = killed / mutants.length;
  console.log(
    `\n${[...fates].map(([fate, count]) => `${fate} ${count}`).join(', ')}: ${(100 * part).toFixed(1)} % killed`,
  );
  const without = survivors.filter(({ key }) => reasons[key] === undefined);
  for (const { key } of survivors) if (reasons[key] !== undefined) console.log(`survived: ${key}\n  ${reasons[key]}`);
  for (const { key, path, line } of without) console.log(`survived, no reason given: ${path}:${line} ${key}`);
  return part >= leastKilled && without.length === 0 ? 0 : 1;
}

process.exitCode = await main();
