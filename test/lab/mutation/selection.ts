/** Which of many mutants are tried. */
import { createHash } from 'node:crypto';
import type { Mutant } from './mutants.ts';

/** A number that a key and a seed decide alone: a change elsewhere in the sources leaves the choice as it was. */
function rank(key: string, seed: string): string {
  return createHash('sha256').update(`${seed} ${key}`).digest('hex');
}

/**
 * Chooses mutants by their keys, spread over the files: a table of five hundred numbers is one file among others.
 *
 * @param count how many; fewer, where there are not enough
 * @param seed any text; another one chooses others
 */
export function chooseMutants(mutants: readonly Mutant[], count: number, seed: string): Mutant[] {
  const ranked = mutants.map((mutant) => ({ mutant, rank: rank(mutant.key, seed) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const mostPerFile = Math.max(2, Math.ceil(count / 40));
  const taken = new Map<string, number>();
  const chosen: Mutant[] = [];
  for (const { mutant } of ranked) {
    const before = taken.get(mutant.path) ?? 0;
    if (before === mostPerFile || chosen.length === count) continue;
    taken.set(mutant.path, before + 1);
    chosen.push(mutant);
  }
  return chosen;
}
