/** What test processes tell the runner about their tiers: one line of JSON each, in a folder the runner names. */
import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TierName } from './tiers.ts';

/** Environment variable with the folder of the records; unset where no runner wants them. */
export const recordFolderVariable = 'SSPI_AUTH_TEST_RECORDS';

/** One declaration of a tier by one test process. */
export interface TierRecord {
  readonly tier: TierName;
  /** Why the tier cannot run; left out where it can. */
  readonly reason?: string;
}

/** Appends to this process's file among the records. */
export function record(kind: string, value: object): void {
  const folder = process.env[recordFolderVariable];
  if (folder === undefined) return;
  appendFileSync(join(folder, `${kind}-${process.pid}.jsonl`), `${JSON.stringify(value)}\n`);
}

/** All records of one kind in a folder. */
export function readRecords(folder: string, kind: string): unknown[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${kind}-`))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

/** Says that a tier can run here, or why not. */
export function recordTier(tier: TierName, reason: string | undefined): void {
  const value: TierRecord = reason === undefined ? { tier } : { tier, reason };
  record('tier', value);
}
