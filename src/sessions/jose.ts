/** The package jose, an optional peer: only those who have sessions need it. */
import { createRequire } from 'node:module';
import type * as Jose from 'jose';
import { OptionError } from '../foundation/errors.ts';

export type { Jose };

/**
 * Loads jose.
 *
 * @throws OptionError if it is not installed, or of a version that lacks what is needed
 */
export function loadJose(): Pick<typeof Jose, 'CompactEncrypt' | 'compactDecrypt'> {
  let jose: Partial<typeof Jose>;
  try {
    jose = createRequire(import.meta.url)('jose') as typeof Jose;
  } catch {
    // A bundler leaves it undefined where it makes CommonJS.
    const isBundled = (import.meta.url as string | undefined) === undefined;
    throw new OptionError(
      'session',
      'needs the package jose, which is not there',
      isBundled
        ? 'In a bundle of CommonJS it cannot be found: bundle as an ES module, or leave sspi-auth out of the bundle.'
        : 'Run: npm install jose@6.',
    );
  }
  const { CompactEncrypt, compactDecrypt } = jose;
  if (CompactEncrypt === undefined || compactDecrypt === undefined) {
    throw new OptionError('session', 'needs the package jose in version 6', 'Run: npm install jose@6.');
  }
  return { CompactEncrypt, compactDecrypt };
}
