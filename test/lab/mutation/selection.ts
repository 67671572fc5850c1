/** Which of many mutants are tried. */
import { createHash } from 'node:crypto';
import type { Mutant } from './mutants.ts';

/** A number that a key and a seed decide alone: a change elsewhere in the sources leaves the choice as it was. */
function rank(key: string, seed: string): string {
  return createHash('sha256').update(`${seed} ${key}`).digest('hex');
}

/**
 * Chooses mutants by their keys, spread over all files: a file gives at most one more than its share.
 *
 * @param count how many; all of them, where there are fewer
 * @param seed any text; another one chooses others
 */
export function chooseMutants(mutants: readonly Mutant[], count: number, seed: string): Mutant[] {
  const ranked = mutants.map((mutant) => ({ mutant, rank: rank(mutant.key, seed) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return ranked.slice(0, count).map(({ mutant }) => mutant);
}
