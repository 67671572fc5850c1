/** Which extensions go with which library. */
import type { GssapiExtensions } from './extensions.ts';
import { heimdalExtensions } from './heimdal-extensions.ts';
import type { GssapiLibrary } from './library.ts';
import { mitExtensions } from './mit-extensions.ts';

const made = new WeakMap<GssapiLibrary, GssapiExtensions>();

/** The extensions of a library that was loaded. */
export function extensionsOf(library: GssapiLibrary): GssapiExtensions {
  let extensions = made.get(library);
  if (extensions === undefined) {
    extensions = library.implementation === 'MIT' ? mitExtensions : heimdalExtensions(library);
    made.set(library, extensions);
  }
  return extensions;
}
