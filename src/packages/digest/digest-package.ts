/**
 * The security package `Digest`: the page "AcceptSecurityContext (Digest)" with the protocol of RFC 7616.
 *
 * It works over HTTP only (ASC_REQ_HTTP); without that requirement, as a SASL mechanism, it gives
 * SEC_E_UNSUPPORTED_FUNCTION.
 *
 * Input, in this order:
 * - a TOKEN buffer with what follows `Digest ` in the header field; empty to ask for challenges
 * - PKG_PARAMS buffers: the method; the request target as on the wire (reserved on Microsoft's page); H(entity); and
 *   optionally a realm in UTF-16
 *
 * Output: one TOKEN buffer for each algorithm, each with the text of one challenge.
 *
 * Statuses for credentials:
 * - SEC_E_OK: for this one request. The next request brings its own credentials and is a new context.
 * - SEC_I_CONTINUE_NEEDED with `stale=true`: the response is valid, but its nonce is too old, was issued by another
 *   credential, or its count was used before.
 * - SEC_E_INVALID_TOKEN: they break the grammar, lack a mandatory parameter or are for another request target (400 in
 *   RFC 7616 section 3.4.6).
 * - SEC_E_LOGON_DENIED: all other credentials that are refused.
 */
import { OptionError } from '../../foundation/errors.ts';
import type { SecurityPackage } from '../../sspi/security-package.ts';
import { DigestAcceptor } from './digest-acceptor.ts';
import { digestSettings } from './digest-auth-data.ts';
import { DigestContext } from './digest-context.ts';
import { digestInfo } from './digest-info.ts';

export const digestPackage: SecurityPackage = Object.freeze({
  info: digestInfo,

  /** @param authData DigestAuthData */
  acquireCredentials({ authData, principal }) {
    if (principal !== undefined) {
      const cure = 'Leave it out, or use another package.';
      throw new OptionError('principal', 'is given, but clients of Digest name no service', cure);
    }
    const acceptor = new DigestAcceptor(digestSettings(authData));
    return {
      accept: (call) => new DigestContext(acceptor).begin(call),
      free: () => acceptor.free(),
    };
  },
} satisfies SecurityPackage);
