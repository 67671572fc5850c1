/** Makes an authenticator from options, or throws an error that says what to do. */
import { auditOf } from './audit.ts';
import { Authenticator } from './authenticator.ts';
import { parseOptions } from './options.ts';
import type { SspiAuthOptions } from './options.ts';
import { offerOf } from './providers/offered-schemes.ts';
import { startLine } from './providers/start-line.ts';
import { withWatchedStore } from './store-watch.ts';

/**
 * Makes an authenticator. The adapters do this for you; call it to bring sspi-auth to another framework.
 *
 * @param options see SspiAuthOptions; without any, sspi-auth uses what the machine has
 * @throws OptionError if an option cannot be used
 * @throws SspiAuthError `ERR_SSPI_AUTH_NO_ACCEPTOR` if nothing can verify a client; the message says what was looked
 *   for
 */
export function createAuthenticator<R = unknown, C extends readonly unknown[] = never>(
  options?: SspiAuthOptions<R, C>,
): Authenticator<R, C> {
  const settings = withWatchedStore(parseOptions(options));
  const offer = offerOf(settings);
  const authenticator = new Authenticator(settings, offer.schemes);
  const audit = auditOf(settings);
  if (settings.logger !== undefined) {
    const { record, message } = startLine(settings, offer);
    audit.started(record, message);
  }
  settings.accounts?.sendWarningsTo?.((message) => audit.warn(message));
  return authenticator;
}
