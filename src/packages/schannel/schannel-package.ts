/** The Schannel security package, server side: TLS 1.2 and 1.3 (RFC 5246, RFC 8446) by bytes. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { OptionError } from '../../foundation/errors.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { findBuffer, SECBUFFER_EMPTY } from '../../sspi/buffers.ts';
import * as Requirement from '../../sspi/requirements.ts';
import type {
  AcceptCall,
  AcceptReply,
  AcquireCredentialsParameters,
  PackageCredential,
  SecurityPackage,
} from '../../sspi/security-package.ts';
import { keepsContext, SEC_E_INVALID_TOKEN, SEC_E_UNSUPPORTED_FUNCTION } from '../../sspi/status.ts';
import { schannelSettings } from './schannel-auth-data.ts';
import type { SchannelSettings } from './schannel-auth-data.ts';
import { SchannelContext } from './schannel-context.ts';
import { schannelPackageInfo } from './schannel-package-info.ts';
import { TlsAcceptor } from './tls-acceptor.ts';

/**
 * ISC_REQ_PROMPT_FOR_CREDS of the client side, which the page names. On the server's side the bit is
 * ASC_REQ_SESSION_TICKET of sspi.h: there are no tickets here either.
 */
const PROMPT_FOR_CREDS = 0x40;
const REFUSED_REQUIREMENTS = Requirement.ASC_REQ_DELEGATE | Requirement.ASC_REQ_DATAGRAM | PROMPT_FOR_CREDS;

class SchannelCredential implements PackageCredential {
  readonly #settings: SchannelSettings;
  readonly #acceptor: TlsAcceptor;
  /** Asks clients for a certificate; made when one is first required. */
  #mutual: TlsAcceptor | undefined;
  readonly expiry: Date | undefined;

  constructor(settings: SchannelSettings) {
    this.#settings = settings;
    this.#acceptor = new TlsAcceptor(settings, 'none');
    this.expiry = checkedExpiry(settings);
  }

  #acceptorFor(requirements: number): TlsAcceptor {
    if ((requirements & Requirement.ASC_REQ_MUTUAL_AUTH) === 0) return this.#acceptor;
    const request = this.#settings.manualCredentialValidation ? 'unverified' : 'verified';
    return (this.#mutual ??= new TlsAcceptor(this.#settings, request));
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const refused = refusal(this.#settings, call);
    if (refused !== undefined) return refused;
    const { requirements } = call;
    const context = new SchannelContext(this.#settings, () => this.#acceptorFor(requirements), requirements);
    const first = (reply: AcceptReply): AcceptReply => {
      if (keepsContext(reply.status)) return { ...reply, context };
      context.delete();
      return reply;
    };
    const reply = context.accept(call);
    if (!(reply instanceof Promise)) return first(reply);
    return reply.then(first, (error: unknown) => {
      context.delete();
      throw error;
    });
  }

  free(): void {
    // A server that does not listen holds nothing open. Contexts that exist go on.
  }
}

/**
 * The end of the certificate. A key of another type passes OpenSSL, and then no handshake would.
 *
 * @throws OptionError if the key is not that of the certificate
 */
function checkedExpiry({ cert, key, passphrase }: SchannelSettings): Date | undefined {
  const [first] = cert ?? [];
  if (first === undefined || key === undefined) return undefined;
  const certificate = new X509Certificate(first);
  const privateKey = createPrivateKey({
    key: Buffer.from(key.copy()),
    ...(passphrase === undefined ? undefined : { passphrase: Buffer.from(passphrase.copy()) }),
  });
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new OptionError('authData.key', 'is not that of cert', 'Give the private key of the first certificate.');
  }
  return new Date(certificate.validTo);
}

function refusal({ ca, manualCredentialValidation }: SchannelSettings, call: AcceptCall): AcceptReply | undefined {
  const { requirements, input } = call;
  if ((requirements & REFUSED_REQUIREMENTS) !== 0) {
    return { status: SEC_E_UNSUPPORTED_FUNCTION, diagnosis: { text: reason('schannel-unsupported') } };
  }
  const mutual = (requirements & Requirement.ASC_REQ_MUTUAL_AUTH) !== 0;
  if (mutual && ca === undefined && !manualCredentialValidation) {
    const text = reason('schannel-needs-ca');
    return { status: SEC_E_UNSUPPORTED_FUNCTION, diagnosis: { text } };
  }
  if ((findBuffer(input, SECBUFFER_EMPTY)?.data.byteLength ?? 0) > 0) return { status: SEC_E_INVALID_TOKEN };
  return undefined;
}

/**
 * The package. `authData` of its credential is a SchannelAuthData.
 *
 * TLS is that of Node. Sessions are not resumed, and a second handshake on a connection is refused. A client certificate
 * is asked for only with ASC_REQ_MUTUAL_AUTH, and then it is required.
 */
export const schannelPackage: SecurityPackage = Object.freeze({
  info: schannelPackageInfo,
  acquireCredentials({ authData }: AcquireCredentialsParameters): PackageCredential {
    return new SchannelCredential(schannelSettings(authData));
  },
});
