/** The reply to a token that the library refused. */
import * as Requirements from '../../sspi/requirements.ts';
import { SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import type { AcceptReply } from '../../sspi/security-package.ts';
import type { KerberosProvider } from './call/extensions.ts';
import type { Frame } from './call/frame.ts';
import * as Gss from './call/gss-status.ts';
import { krb5ConfigurationFault } from './call/krb5-configuration.ts';
import { releaseAll } from './call/release.ts';
import type { Exchange } from '../../kerberos/exchange.ts';
import type { CheckBudget } from '../../foundation/check-budget.ts';
import { clockSkew } from './keytab/clock-skew.ts';
import { diagnose } from '../../kerberos/diagnosis.ts';
import type { KeytabListing } from '../../kerberos/diagnosis.ts';

/** A refused token. */
export interface RefusedToken {
  /** Result of gss_accept_sec_context. */
  readonly major: number;
  readonly exchange: Exchange;
  /** The keytab with which the library verified it. */
  readonly keytab: KeytabListing;
  /** For what reads files: the diagnosis of a clock skew, and of a broken krb5.conf. */
  readonly budget: CheckBudget;
  /** Why a changed keytab could not be loaded. */
  readonly reloadFailure: string | undefined;
}

/** Makes the reply from the results in a frame, and frees them. */
export function refusalByLibrary(
  frame: Frame,
  { extensions, settings }: KerberosProvider,
  { major, exchange, keytab, budget, reloadFailure }: RefusedToken,
): AcceptReply {
  const minor = frame.minorStatus;
  const text = Gss.statusText(frame, major, minor);
  // This may be a KRB-ERROR for the client. It tells Windows clients the time of the server (RFC 4120 section 5.9.1).
  const error = frame.takeOutput();
  releaseAll(frame);
  // Heimdal may return a KRB-ERROR and no minor status. If the output is another kind of token, `errorCode` is 0.
  const errorCode = error === undefined ? 0 : Gss.krbErrorCode(error);
  const code = minor === 0 ? errorCode : minor;
  const { request, call } = exchange;
  const skew =
    code === Gss.KRB_AP_ERR_SKEW && budget.take()
      ? clockSkew(frame.library, extensions, keytab.path, request, settings.clock.now())
      : undefined;
  const diagnosis =
    Gss.isConfigurationError(code) && budget.take()
      ? `the server's Kerberos library cannot read its configuration: ${krb5ConfigurationFault()} (${text})`
      : diagnose({ minor: code, text, request, keytab, skew });
  const sendError =
    error !== undefined && errorCode !== 0 && (call.requirements & Requirements.ASC_REQ_EXTENDED_ERROR) !== 0;
  return {
    status: Gss.acceptFailure(major, code),
    output: sendError ? [{ type: SECBUFFER_TOKEN, data: error }] : undefined,
    diagnosis: {
      text:
        reloadFailure === undefined
          ? diagnosis
          : `${diagnosis} (the changed keytab cannot be loaded: ${reloadFailure})`,
    },
  };
}
