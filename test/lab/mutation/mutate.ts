/**
 * Mutation check: `npm run mutate -- [--count N] [--seed TEXT]… [--key TEXT]… [--all] [part of a path]…`
 *
 * Puts small faults into `packages/`, `http/`, `authenticator/` and `formats/`, one at a time, in copies of the sources,
 * and runs the unit tests that run the changed place. A fault that no test notices has survived. Survivors that cannot be
 * killed stand in test/lab/mutation/survivors.json with the reason. Fails where fewer than 95 % are killed, and where a
 * survivor has no reason.
 *
 * - `--count`: how many faults, 300 by default; which ones, the seed decides and the code around them alone.
 * - `--seed`: may be given more than once. Each choice has its own rate.
 * - `--key`: the faults whose key, as a run prints it, holds this text: to try survivors again.
 * - `--all`: every fault. That takes hours.
 */
import { readFile, readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { coverageOf, isCovered } from './covering-tests.ts';
import type { TestCoverage } from './covering-tests.ts';
import { mutantsOf } from './mutants.ts';
import type { Mutant } from './mutants.ts';
import { chooseMutants } from './selection.ts';
import { copySources, tryMutant } from './worker.ts';
import type { Fate } from './worker.ts';
import { nodeBinary } from '../node-binary.ts';
import { root, testFiles } from '../runner/test-files.ts';
import { scratchFolder } from '../scratch.ts';
import type { ScratchFolder } from '../scratch.ts';

/** The oldest Node that runs all of the TypeScript here by itself. */
const nodeMajor = 24;
const folders = ['src/packages', 'src/http', 'src/authenticator', 'src/formats'];
/** The least part of the faults that the unit tests must notice. */
const leastKilled = 0.95;

const { values: options, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '300' },
    seed: { type: 'string', multiple: true, default: ['sspi-auth'] },
    key: { type: 'string', multiple: true, default: [] },
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
    .filter(({ files }) => isCovered(files.get(mutant.path), mutant.runs))
    .sort((a, b) => near(a) - near(b) || a.duration - b.duration);
}

/** What is tried: faults by the name of the choice, which is a seed where a seed decides. */
function choicesOf(every: readonly Mutant[]): ReadonlyMap<string, readonly Mutant[]> {
  const { all, count, key: keys, seed: seeds } = options;
  if (all) return new Map([['all', every]]);
  if (keys.length > 0) return new Map([['keys', every.filter(({ key }) => keys.some((part) => key.includes(part)))]]);
  return new Map(seeds.map((seed) => [seed, chooseMutants(every, Number(count), seed)]));
}

/** Digits in the name of a folder can make a stack look like a secret, which the log masks: its tests would fail. */
async function laneFolder(): Promise<ScratchFolder> {
  for (;;) {
    const folder = await scratchFolder('mutation');
    if (!/\d/.test(basename(folder.path))) return folder;
    await folder.remove();
  }
}

async function main(): Promise<number> {
  const node = await nodeBinary(nodeMajor);
  const every = await allMutants();
  const choices = choicesOf(every);
  const possible = new Set(every.map(({ key }) => key));
  for (const key of Object.keys(await knownSurvivors())) {
    if (words.length === 0 && !possible.has(key)) console.log(`survivors.json has a fault that is gone: ${key}`);
  }
  if ([...choices.values()].every((mutants) => mutants.length === 0)) {
    console.error('no fault is chosen: no path or key has such a part');
    return 1;
  }
  const laneCount = Math.min(4, availableParallelism());
  const lanes = await Promise.all(Array.from({ length: laneCount }, () => laneFolder()));
  try {
    for (const lane of lanes) await copySources(lane);
    return await tryAll(node, choices, every.length, lanes);
  } finally {
    for (const lane of lanes) await lane.remove();
  }
}

async function tryAll(
  node: string,
  choices: ReadonlyMap<string, readonly Mutant[]>,
  possible: number,
  lanes: readonly ScratchFolder[],
): Promise<number> {
  const units = (await testFiles([])).filter(
    // What reads the sources as text would notice every fault, whether it matters or not.
    ({ kind, path }) => kind === 'unit' && !path.startsWith('test/project/') && !path.startsWith('test/lab/'),
  );
  const mutants = [...new Set([...choices.values()].flat())];
  console.log(`${possible} faults are possible, ${mutants.length} are tried. Coverage of ${units.length} test files …`);
  const coverage: TestCoverage[] = [];
  await inLanes(units, lanes, async ({ path }, lane) => {
    const one = await coverageOf(node, lane.path, path);
    if (one.passed) coverage.push(one);
    else console.log(`left out, since it fails without a fault: ${path}`);
  });
  coverage.sort((a, b) => (a.test < b.test ? -1 : 1));

  const fates = new Map<Mutant, Fate>();
  await inLanes(mutants, lanes, async (mutant, lane) => {
    const { fate, by } = await tryMutant(node, lane, mutant, testsFor(mutant, coverage));
    fates.set(mutant, fate);
    const where = `${mutant.path}:${mutant.line}`;
    console.log(`${fates.size}/${mutants.length} ${fate} ${where} ${mutant.key}${by === undefined ? '' : ` [${by}]`}`);
  });
  return report(choices, fates);
}

/** Why each fault that is known to survive does, by its key. */
async function knownSurvivors(): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(new URL('./survivors.json', import.meta.url), 'utf8');
  return JSON.parse(text) as Readonly<Record<string, string>>;
}

/** Prints what became of the faults. @returns the exit code */
async function report(choices: ReadonlyMap<string, readonly Mutant[]>, fates: ReadonlyMap<Mutant, Fate>) {
  const reasons = await knownSurvivors();
  const hasSurvived = (mutant: Mutant): boolean => ['survived', 'uncovered'].includes(fates.get(mutant) ?? '');
  const survivors = [...fates.keys()].filter(hasSurvived);
  const without = survivors.filter(({ key }) => reasons[key] === undefined);
  console.log('');
  for (const { key } of survivors) if (reasons[key] !== undefined) console.log(`survived: ${key}\n  ${reasons[key]}`);
  for (const { key, path, line } of without) {
    console.log(`survived, no reason given: ${path}:${line} ${key}`);
  }
  let least = 1;
  for (const [name, mutants] of choices) {
    const alive = mutants.filter(hasSurvived).length;
    const part = 1 - alive / mutants.length;
    least = Math.min(least, part);
    console.log(`${name}: ${mutants.length - alive} of ${mutants.length}, ${(100 * part).toFixed(1)} % killed`);
  }
  return least >= leastKilled && without.length === 0 ? 0 : 1;
}

process.exitCode = await main();
