/** Chooses the extensions that belong to a library. */
import { SspiAuthError } from '../../foundation/errors.ts';
import type { GssapiExtensions } from './call/extensions.ts';
import { heimdalExtensions } from './heimdal/extensions.ts';
import type { GssapiLibrary } from './call/library.ts';
import { mitExtensions } from './mit/extensions.ts';

const heimdalLibraries = new WeakMap<GssapiLibrary, GssapiExtensions>();

/**
 * The extensions for a loaded library.
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` if a Heimdal library lacks a variable that its extensions need
 */
export function extensionsOf(library: GssapiLibrary): GssapiExtensions {
  if (library.implementation === 'MIT') return mitExtensions;
  let extensions = heimdalLibraries.get(library);
  if (extensions === undefined) {
    try {
      extensions = heimdalExtensions(library);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SspiAuthError(
        'ERR_SSPI_AUTH_NATIVE_LIBRARY',
        `sspi-auth: ${library.name} is a version of Heimdal that lacks symbols a server needs (${reason}). ` +
          'Install Heimdal 7 or MIT krb5.',
        { cause },
      );
    }
    heimdalLibraries.set(library, extensions);
  }
  return extensions;
}
