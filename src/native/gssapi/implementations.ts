/** Which extensions go with which library. */
import { SspiAuthError } from '../../foundation/errors.ts';
import type { GssapiExtensions } from './call/extensions.ts';
import { heimdalExtensions } from './heimdal/extensions.ts';
import type { GssapiLibrary } from './call/library.ts';
import { mitExtensions } from './mit/extensions.ts';

const made = new WeakMap<GssapiLibrary, GssapiExtensions>();

/**
 * The extensions of a library that was loaded.
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` where it lacks one of the variables they need
 */
export function extensionsOf(library: GssapiLibrary): GssapiExtensions {
  if (library.implementation === 'MIT') return mitExtensions;
  let extensions = made.get(library);
  if (extensions === undefined) {
    try {
      extensions = heimdalExtensions(library);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SspiAuthError(
        'ERR_SSPI_AUTH_NATIVE_LIBRARY',
        `sspi-auth: ${library.name} is a Heimdal that lacks what a server needs (${reason}). Install Heimdal 7, or MIT krb5.`,
        { cause },
      );
    }
    made.set(library, extensions);
  }
  return extensions;
}
