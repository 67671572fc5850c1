/** The security package Negotiate, for systems that have none: SPNEGO over the packages that authData gives. */
import { reason } from '../../identity/reasons/reason.ts';
import { findBuffer, SECBUFFER_TOKEN } from '../../sspi/index.ts';
import type {
  AcceptCall,
  AcceptReply,
  AcquireCredentialsParameters,
  Diagnosis,
  PackageCredential,
  SecurityPackage,
  SecurityPackageInfo,
} from '../../sspi/index.ts';
import { SEC_E_INVALID_TOKEN } from '../../sspi/status.ts';
import { acquireInnerCredentials, parseAuthData } from './auth-data.ts';
import type { InnerCredential } from './auth-data.ts';
import { acceptDirect } from './direct-context.ts';
import { firstTokenOf } from './mechanisms.ts';
import { acceptSpnego } from './spnego-context.ts';
import { unmatched } from './unmatched-mechanisms.ts';

/** SECPKG_FLAG_* of sspi.h: INTEGRITY, PRIVACY, CONNECTION, EXTENDED_ERROR, GSS_COMPATIBLE, MUTUAL_AUTH. */
const CAPABILITIES = 0x00000001 | 0x00000002 | 0x00000010 | 0x00000080 | 0x00001000 | 0x00010000;

const info: SecurityPackageInfo = Object.freeze({
  name: 'Negotiate',
  comment: 'SPNEGO over Kerberos and NTLM',
  capabilities: CAPABILITIES,
  version: 1,
  /** RPC_C_AUTHN_GSS_NEGOTIATE. */
  rpcId: 9,
  /** The value of Windows: the largest inner token and the SPNEGO around it. */
  maxToken: 65_791,
});

/** The first byte of a NegTokenResp, RFC 4178 section 4.2.2. */
const NEG_TOKEN_RESP = 0xa1;

const withoutHandshake: Diagnosis = Object.freeze({ text: reason('spnego-without-handshake') });

class NegotiateCredential implements PackageCredential {
  readonly expiry: Date | undefined;
  readonly #credentials: readonly InnerCredential[];

  constructor(credentials: readonly InnerCredential[]) {
    this.#credentials = credentials;
    const ends = credentials.flatMap(({ credential }) => (credential.expiry ? [credential.expiry.getTime()] : []));
    this.expiry = ends.length === 0 ? undefined : new Date(Math.min(...ends));
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const token = findBuffer(call.input, SECBUFFER_TOKEN)?.data;
    // A call without a token asks for NegTokenInit2, which HTTP cannot carry (attack A01).
    if (token === undefined) return { status: SEC_E_INVALID_TOKEN };
    const first = firstTokenOf(token);
    if (first.kind === 'SPNEGO') return acceptSpnego(this.#credentials, first.initial, call);
    const running = this.#credentials.find(({ mechanism }) => mechanism === first.kind);
    if (running !== undefined) return acceptDirect(running, call);
    if (first.kind === 'unknown') {
      return { status: SEC_E_INVALID_TOKEN, diagnosis: token[0] === NEG_TOKEN_RESP ? withoutHandshake : undefined };
    }
    return { status: SEC_E_INVALID_TOKEN, diagnosis: unmatched([first.kind], this.#credentials) };
  }

  free(): void {
    for (const { credential } of this.#credentials) credential.free();
  }
}

/**
 * The package Negotiate. Its authData is NegotiateAuthData.
 *
 * First tokens may be SPNEGO, raw NTLM or raw Kerberos; the replies have the same form. SEC_E_INVALID_TOKEN: the token
 * is malformed, there is no common mechanism, or the mechListMIC does not verify or is missing although it is required.
 * Every other failure comes from the inner package. With ASC_REQ_EXTENDED_ERROR, a failure gives a SPNEGO client a
 * NegTokenResp with negState reject.
 */
export const negotiatePackage: SecurityPackage = Object.freeze({
  info,
  acquireCredentials(parameters: AcquireCredentialsParameters): PackageCredential | Promise<PackageCredential> {
    const acquired = acquireInnerCredentials(parseAuthData(parameters.authData), parameters);
    return acquired instanceof Promise
      ? acquired.then((credentials) => new NegotiateCredential(credentials))
      : new NegotiateCredential(acquired);
  },
});
