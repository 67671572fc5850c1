/** Child process of run.ts, on the Node that is measured: `benchmark-run.ts REPORT FILE…`, each a file beside this one. */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { PackagesUnavailableError } from '../test/lab/debian.ts';
import type { Benchmark, Row } from './measurement.ts';
import { table } from './report.ts';
import type { Report } from './report.ts';

const [path = '', ...files] = process.argv.slice(2);
const machine = {
  node: process.version,
  v8: process.versions.v8,
  openssl: process.versions.openssl,
  platform: `${process.platform} ${release()} ${process.arch}`,
  processor: cpus()[0]?.model,
  cores: cpus().length,
  memoryBytes: totalmem(),
  loadAverageAtStart: loadavg()[0] ?? Number.NaN,
  date: new Date().toISOString(),
};
console.log(`\nNode ${process.version}, ${process.execPath}`);
console.log(machine);
if (machine.loadAverageAtStart > machine.cores / 2) {
  console.log('This machine is busy: trust ratios and processor times, not rates and durations.');
}

const report: Record<string, readonly Row[]> = {};
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
    const { default: benchmark } = (await import(new URL(file, import.meta.url).href)) as { default: Benchmark };
    name = benchmark.name;
    console.log(`\n${name} (Node ${process.version})`);
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
const loadAverageAtEnd = loadavg()[0] ?? Number.NaN;
const written: Report = { machine: { ...machine, loadAverageAtEnd }, report, leftOut, failed };
await writeFile(path, JSON.stringify(written, null, 2));
for (const [name, why] of Object.entries(leftOut)) console.log(`left out: ${name}: ${why.split('\n')[0] ?? ''}`);
for (const name of Object.keys(failed)) console.log(`failed: ${name}`);
console.log(`\nwritten to ${path}`);
