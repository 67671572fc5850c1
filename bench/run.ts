/**
 * Runs the benchmarks: `npm run bench [-- part of a file name]…`
 *
 * Measures what `npm run build` made. Both sides of a comparison run in the same rounds, so a busy machine changes the
 * figures more than the ratios. Prints a table and writes it, with every round and the machine, to .scratch/bench/.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PackagesUnavailableError } from '../test/lab/debian.ts';
import type { Benchmark, Row } from './measurement.ts';

// tsx follows the paths of tsconfig.json to the source: started again without them, `sspi-auth` is the built package.
if (process.env['TSX_TSCONFIG_PATH'] === undefined) {
  const env = { ...process.env, TSX_TSCONFIG_PATH: fileURLToPath(new URL('built.tsconfig.json', import.meta.url)) };
  const words = [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  process.exit(spawnSync(process.execPath, words, { stdio: 'inherit', env }).status ?? 1);
}

const folder = fileURLToPath(new URL('.', import.meta.url));
const results = fileURLToPath(new URL('../.scratch/bench/', import.meta.url));

function table(rows: readonly Row[]): string {
  const shown = (value: number | undefined): string =>
    value === undefined ? '' : value.toFixed(Math.abs(value) < 100 ? 1 : 0);
  return rows
    .map(({ name, value, baseline, unit, aim }) => {
      const result = aim === undefined ? '' : `  [${aim.met ? 'met' : 'NOT MET'}: ${aim.text}]`;
      const against = baseline === undefined ? '' : `  (bare or other side: ${shown(baseline)})`;
      return `  ${name}\n    ${shown(value)} ${unit}${against}${result}`;
    })
    .join('\n');
}

const filters = process.argv.slice(2);
const files = (await readdir(folder))
  .filter((name) => name.endsWith('.bench.ts'))
  .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
  .sort();
const machine = {
  node: process.version,
  v8: process.versions.v8,
  platform: `${process.platform} ${release()} ${process.arch}`,
  processor: cpus()[0]?.model,
  cores: cpus().length,
  memoryBytes: totalmem(),
  loadAverageAtStart: loadavg()[0],
  date: new Date().toISOString(),
};
console.log(machine);
if ((machine.loadAverageAtStart ?? 0) > machine.cores / 2) {
  console.log('This machine is busy: trust ratios and processor times, not rates and durations.');
}

const report: Record<string, readonly Row[]> = {};
/** What could not be had on this machine, and what went wrong: by name, with the reason. */
const leftOut: Record<string, string> = {};
const failed: Record<string, string> = {};
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
for (const file of files) {
  let name = file;
  const leaveOut = (what: string, why: unknown): undefined => {
    leftOut[what] = reasonOf(why);
    console.log(`  LEFT OUT: ${what}: ${reasonOf(why)}`);
  };
  try {
    const { default: benchmark } = (await import(pathToFileURL(join(folder, file)).href)) as { default: Benchmark };
    name = benchmark.name;
    console.log(`\n${name}`);
    const rows = await benchmark.run((message) => console.error(`  … ${message}`), leaveOut);
    report[name] = rows;
    console.log(table(rows));
  } catch (error) {
    // One that cannot run is no reason to keep back what the others find.
    if (error instanceof PackagesUnavailableError) leaveOut(name, error);
    else {
      failed[name] = reasonOf(error);
      console.error(`  FAILED: ${name}:`, error);
      process.exitCode = 1;
    }
  }
}
await mkdir(results, { recursive: true });
const path = join(results, `${machine.date.replaceAll(':', '-')}.json`);
const written = { machine: { ...machine, loadAverageAtEnd: loadavg()[0] }, report, leftOut, failed };
await writeFile(path, JSON.stringify(written, null, 2));
for (const [name, why] of Object.entries(leftOut)) console.log(`left out: ${name}: ${why.split('\n')[0] ?? ''}`);
for (const name of Object.keys(failed)) console.log(`failed: ${name}`);
console.log(`\nwritten to ${path}`);
