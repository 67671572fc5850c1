/** Tells which tiers ran. */
import { isDebian } from '../debian.ts';
import { full } from '../matrix.ts';
import type { TierRecord } from '../tier-record.ts';
import { tierDescription, tiers } from '../tiers.ts';
import type { TierName } from '../tiers.ts';
import type { TestFile } from './test-files.ts';

/**
 * Prints each tier by name.
 *
 * @param everything whether all files were selected, so that each tier must have one
 * @returns what is wrong with them in CI
 */
export function reportTiers(files: readonly TestFile[], records: readonly TierRecord[], everything: boolean): string[] {
  const problems: string[] = [];
  const pure = files.filter((file) => file.tiers.length === 0).length;
  console.log(`\nTiers:\n  0 pure: ${pure === 0 ? 'not selected' : `ran (${pure} files)`}`);
  for (const name of Object.keys(tiers) as TierName[]) {
    const { level, proves, fullOnly } = tierDescription(name);
    const users = files.filter((file) => file.tiers.includes(name)).length;
    const own = records.filter((record) => record.tier === name);
    const reason = own.find((record) => record.reason !== undefined)?.reason;
    let state = `ran (${users} files)`;
    if (reason !== undefined) {
      state = `could not run: ${reason}`;
      if (isDebian()) problems.push(`tier ${name} could not run`);
    } else if (users === 0) {
      state = everything ? 'could not run: no test file uses it' : 'not selected';
    } else if (own.length === 0 && fullOnly && !full()) {
      state = 'not asked for: npm run test:full';
    } else if (own.length === 0) {
      state = 'could not run: its test files ended before they declared it';
      problems.push(`tier ${name} did not run`);
    }
    console.log(`  ${level} ${name} (${proves}): ${state}`);
  }
  return problems;
}
