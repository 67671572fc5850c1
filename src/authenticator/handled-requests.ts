/** Which authenticator has seen a request, over all authenticators of the process. */
import { SspiAuthError } from '../foundation/errors.ts';

/** The authenticator that signed a request in. */
export const admittedBy = new WeakMap<object, unknown>();
/** The authenticator that let a request through without a user of its own. */
export const handledBy = new WeakMap<object, unknown>();
/** Authenticators by the symbol of the property that a request has of them. */
export const byAdmission = new WeakMap<symbol, unknown>();

/** The authenticator that a request has come through; undefined if there was none. */
export function authenticatorOf(exchange: object): unknown {
  const handled = handledBy.get(exchange);
  if (handled !== undefined) return handled;
  for (const symbol of Object.getOwnPropertySymbols(exchange)) {
    const found = byAdmission.get(symbol);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A client answers only one of the two authenticators at a time, and the other would challenge it for ever. */
export function secondAuthenticator(): SspiAuthError {
  return new SspiAuthError(
    'ERR_SSPI_AUTH_OPTION',
    'sspi-auth: another sspiAuth() has already signed this request in, and only one can sign a connection in. ' +
      'Use one for the whole application. Protect single routes with inGroup, or check request.user in the handler',
  );
}
