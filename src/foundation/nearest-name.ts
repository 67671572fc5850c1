/** The name that somebody meant who wrote another. */

/** A slip changes this many letters at the most: one in short names. */
const MOST_CHANGES = 2;

/**
 * The one of some names that is nearest to a name that is none of them: the same in another case, else with few letters
 * added, left out, changed or exchanged with their neighbour.
 *
 * @returns undefined where none is near, or several are as near
 */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const folded = name.toLowerCase();
  const most = Math.min(MOST_CHANGES, Math.floor(name.length / 3));
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

/** Damerau's distance with neighbours exchanged once (optimal string alignment), row by row. */
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
