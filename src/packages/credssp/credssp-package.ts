/** The CredSSP security package, server side (MS-CSSP): TLS, in which a client signs in and gives its password away. */
import { OptionError } from '../../foundation/errors.ts';
import { reason } from '../../identity/reasons/reason.ts';
import * as Requirement from '../../sspi/requirements.ts';
import type {
  AcceptCall,
  AcceptReply,
  AcquireCredentialsParameters,
  PackageCredential,
  SecurityPackage,
} from '../../sspi/security-package.ts';
import { keepsContext, SEC_E_UNSUPPORTED_FUNCTION } from '../../sspi/status.ts';
import { credsspSettings } from './credssp-auth-data.ts';
import type { CredSspSettings } from './credssp-auth-data.ts';
import { CredSspContext } from './credssp-context.ts';
import type { InnerCredentials } from './credssp-context.ts';
import { credsspPackageInfo } from './credssp-package-info.ts';

/** ISC_REQ_PROMPT_FOR_CREDS of the client side, which the page names; here the bit is ASC_REQ_SESSION_TICKET. */
const PROMPT_FOR_CREDS = 0x40;
const REFUSED_REQUIREMENTS = Requirement.ASC_REQ_DATAGRAM | PROMPT_FOR_CREDS;

class CredSspCredential implements PackageCredential {
  readonly #settings: CredSspSettings;
  readonly #inner: InnerCredentials;
  readonly expiry: Date | undefined;

  constructor(settings: CredSspSettings, inner: InnerCredentials) {
    this.#settings = settings;
    this.#inner = inner;
    const ends = [inner.schannel, inner.negotiate].flatMap(({ expiry }) => (expiry ? [expiry.getTime()] : []));
    this.expiry = ends.length === 0 ? undefined : new Date(Math.min(...ends));
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    if ((call.requirements & REFUSED_REQUIREMENTS) !== 0) {
      return { status: SEC_E_UNSUPPORTED_FUNCTION, diagnosis: { text: reason('credssp-unsupported') } };
    }
    return this.#first(call);
  }

  async #first(call: AcceptCall): Promise<AcceptReply> {
    const context = new CredSspContext(this.#settings, this.#inner);
    try {
      const reply = await context.accept(call);
      if (keepsContext(reply.status)) return { ...reply, context };
      context.delete();
      return reply;
    } catch (error) {
      context.delete();
      throw error;
    }
  }

  free(): void {
    this.#inner.schannel.free();
    this.#inner.negotiate.free();
  }
}

/** Acquires the credential of a package inside. An OptionError has the path of the option in CredSSP's authData. */
async function acquireInner(
  name: 'schannel' | 'negotiate',
  settings: CredSspSettings,
  { credentialUse, principal }: AcquireCredentialsParameters,
): Promise<PackageCredential> {
  const { package: inner, authData } = settings[name];
  const named = name === 'schannel' ? undefined : principal;
  try {
    return await inner.acquireCredentials({ credentialUse, principal: named, authData });
  } catch (error) {
    if (!(error instanceof OptionError) || !/^authData\b/.test(error.option)) throw error;
    throw error.called((path) => `authData.${name}.${path}`);
  }
}

/**
 * The package. `authData` of its credential is a CredSspAuthData.
 *
 * A client speaks TLS first, with the package Schannel; then it signs in with Negotiate; then it proves that it sees
 * the certificate of this server (pubKeyAuth); then it gives its password away. SEC_E_OK comes with that last leg, which
 * has no token to send. Who the client is says Negotiate; the name beside the password must be of the same account.
 *
 * The password is kept only under authData's `delegation` and ASC_REQ_DELEGATE, for queryDelegatedCredentials, and then
 * until the context is deleted. With ASC_REQ_EXTENDED_ERROR a failure has a token with an errorCode, where the version
 * of the client has such a thing. After SEC_E_OK, encryptMessage and decryptMessage are those of TLS.
 *
 * SEC_E_BAD_BINDINGS: the client sees the certificate of another server. SEC_E_UNSUPPORTED_FUNCTION: its version is
 * below `minVersion`. SEC_E_UNKNOWN_CREDENTIALS: it gave other credentials than a password. SEC_E_LOGON_DENIED: it was
 * refused by Negotiate, or gave the credentials of another account.
 */
export const credsspPackage: SecurityPackage = Object.freeze({
  info: credsspPackageInfo,
  async acquireCredentials(parameters: AcquireCredentialsParameters): Promise<PackageCredential> {
    const settings = credsspSettings(parameters.authData);
    const schannel = await acquireInner('schannel', settings, parameters);
    try {
      const negotiate = await acquireInner('negotiate', settings, parameters);
      return new CredSspCredential(settings, { schannel, negotiate });
    } catch (error) {
      schannel.free();
      throw error;
    }
  },
});
