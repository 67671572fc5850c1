/** Finds the name that was probably meant when an unknown name was written. */

/** A typing mistake changes at most this many letters. Short names allow fewer: one for every three letters. */
const MAX_CHANGES = 2;

/**
 * Finds the name that is nearest to an unknown name. The same name in another case is nearest. Otherwise it is the name
 * with the fewest letters added, left out, changed or swapped with a neighbour.
 *
 * @returns undefined if no name is near, or if several names are equally near
 */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const folded = name.toLowerCase();
  const most = Math.min(MAX_CHANGES, Math.floor(name.length / 3));
  let nearest: string | undefined;
  let fewest = most + 1;
  for (const candidate of names) {
    const changes = changesBetween(folded, candidate.toLowerCase());
    if (changes === 0) return candidate;
    if (changes < fewest) {
      nearest = candidate;
      fewest = changes;
    } else if (changes === fewest) {
      nearest = undefined;
    }
  }
  return nearest;
}

/** Counts changes: the Damerau-Levenshtein distance in the form "optimal string alignment", computed row by row. */
function changesBetween(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same);
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (exchanged) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
