/** Which extensions go with which library. */
import type { GssapiExtensions } from './extensions.ts';
import type { GssapiLibrary } from './library.ts';
import { mitExtensions } from './mit-extensions.ts';

/** The extensions of a library that was loaded. */
export function extensionsOf(library: GssapiLibrary): GssapiExtensions {
  if (library.implementation === 'MIT') return mitExtensions;
  throw new Error('not yet');
}
