/**
 * Preloaded into every test process by the runner: counts what fast-check really ran.
 *
 * Each `fc.assert` reports here through fast-check's global configuration, with the number of runs it made; the runner
 * adds them up. Nothing else is counted, so the sum is never too high.
 */
import { readFileSync } from 'node:fs';
import { record, recordFolderVariable } from './tier-record.ts';

/** One property that was assessed. */
export interface PropertyRecord {
  /** Runs of fast-check: generated inputs, not assertions. */
  readonly runs: number;
}

/** Loading fast-check costs every process 0.1 s, so only files that use it pay. */
function usesFastCheck(path: string | undefined): boolean {
  try {
    return path !== undefined && /\.(ts|mjs)$/.test(path) && /['"]fast-check['"]/.test(readFileSync(path, 'utf8'));
  } catch {
    return false;
  }
}

if (process.env[recordFolderVariable] !== undefined && usesFastCheck(process.argv[1])) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({
    ...fc.readConfigureGlobal(),
    numRuns: Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 100),
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the global configuration takes no plugins
    reporter(details) {
      if (details.failed) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
      const value: PropertyRecord = { runs: details.numRuns };
      record('property', value);
    },
  });
}
