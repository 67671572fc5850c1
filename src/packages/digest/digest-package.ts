/**
 * The security package `Digest`: the page "AcceptSecurityContext (Digest)" with the protocol of RFC 7616.
 *
 * Over HTTP only (ASC_REQ_HTTP); as a SASL mechanism it is SEC_E_UNSUPPORTED_FUNCTION. Input, in this order: a TOKEN
 * buffer with what follows `Digest ` in the header field, empty to ask for challenges; PKG_PARAMS buffers with the
 * method, the request target as on the wire (which Microsoft's page leaves reserved), H(entity), and optionally a realm
 * in UTF-16. Output: one TOKEN buffer for each algorithm, each the text of one challenge.
 *
 * SEC_E_INVALID_TOKEN is what breaks a grammar, lacks a mandatory parameter or is for another request target (400 in
 * RFC 7616 section 3.4.6); SEC_E_LOGON_DENIED is all else that is refused; SEC_I_CONTINUE_NEEDED with `stale=true` is a
 * valid response to a nonce that is too old, of another credential, or whose count was used. SEC_E_OK is for the one
 * request: the next one brings its own credentials and is a new context.
 */
import type { SecurityPackage } from '../../sspi/security-package.ts';
import { DigestAcceptor } from './digest-acceptor.ts';
import { digestSettings } from './digest-auth-data.ts';
import { DigestContext } from './digest-context.ts';
import { digestInfo } from './digest-info.ts';

export const digestPackage: SecurityPackage = Object.freeze({
  info: digestInfo,

  /** @param authData DigestAuthData */
  acquireCredentials({ authData }) {
    const acceptor = new DigestAcceptor(digestSettings(authData));
    return {
      accept: (call) => new DigestContext(acceptor).begin(call),
      free: () => acceptor.free(),
    };
  },
} satisfies SecurityPackage);
