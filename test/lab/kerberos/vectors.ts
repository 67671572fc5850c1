/** The Kerberos rows of test/vectors/vectors.json. */
import { readFileSync } from 'node:fs';

/** One row of vectors.json. */
export interface Vector {
  readonly id: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly expected: string;
}

const file = JSON.parse(readFileSync(new URL('../../vectors/vectors.json', import.meta.url), 'utf8')) as {
  readonly vectors: readonly Vector[];
};

/**
 * The rows whose id matches.
 *
 * @throws Error where there is none, so that a renamed row cannot empty a test
 */
export function vectors(pattern: RegExp): readonly Vector[] {
  const found = file.vectors.filter(({ id }) => pattern.test(id));
  if (found.length === 0) throw new Error(`vectors.json has no row ${String(pattern)}`);
  return found;
}
