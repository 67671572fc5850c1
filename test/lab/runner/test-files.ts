/** The test files, by what they need. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isTierName } from '../tiers.ts';
import type { TierName } from '../tiers.ts';

/** Path of the repository, with a separator at its end. */
export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** One file of tests. */
export interface TestFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  /** Bytes: how long it runs is not known before, and the large ones are the long ones, more or less. */
  readonly size: number;
  readonly tiers: readonly TierName[];
  /**
   * `unit`: needs Node and node_modules only. `packed`: a user's project with the packed tarball of what
   * `npm run build` made. `live`: real counterparts, by a tier or by its folder.
   */
  readonly kind: 'unit' | 'packed' | 'live';
  /** Whether it holds properties, which fast-check runs as often as it is told. */
  readonly hasProperties: boolean;
}

function kindOf(path: string, tiers: readonly TierName[]): TestFile['kind'] {
  if (tiers.length > 0 || path.startsWith('test/live/')) return 'live';
  return path.startsWith('test/package/') ? 'packed' : 'unit';
}

/**
 * All test files whose path holds one of the filters, in the order of their paths.
 *
 * @param filters parts of paths; none: all files
 * @param left parts of paths of files that are left out
 */
export async function testFiles(filters: readonly string[], left: readonly string[] = []): Promise<TestFile[]> {
  const entries = await readdir(join(root, 'test'), { recursive: true });
  const paths = entries
    .map((entry) => `test/${entry.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .filter((path) => !left.some((part) => path.includes(part)))
    .sort();
  return Promise.all(
    paths.map(async (path) => {
      const source = await readFile(join(root, path), 'utf8');
      const calls = [...source.matchAll(/\b(?:tier|requirePackages)\(\s*'([^']+)'/g)].map(([, name]) => name ?? '');
      const tiers = [...new Set(calls)].filter(isTierName);
      const hasProperties = source.includes("'fast-check'");
      return { path, size: source.length, tiers, kind: kindOf(path, tiers), hasProperties };
    }),
  );
}
