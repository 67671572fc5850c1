/** From options to an authenticator that can verify, or an error that says what to do. */
import { Authenticator } from './authenticator.ts';
import { parseOptions } from './options.ts';
import type { SspiAuthOptions } from './options.ts';
import { offeredSchemes } from './providers/offered-schemes.ts';

/**
 * Makes an authenticator. The adapters do this for you; call it to bring sspi-auth to another framework.
 *
 * @param options see SspiAuthOptions; without any, what the machine has is used
 * @throws OptionError where an option cannot be used
 * @throws SspiAuthError `ERR_SSPI_AUTH_NO_ACCEPTOR` where nothing could verify a client, saying what was looked for
 */
export function createAuthenticator<R = unknown>(options?: SspiAuthOptions<R>): Authenticator<R> {
  const settings = parseOptions(options);
  return new Authenticator(settings, offeredSchemes(settings));
}
