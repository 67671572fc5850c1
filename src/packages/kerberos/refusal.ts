/** Why a token is refused: for the caller, for the log, and, if it is asked for, for the client. */
import * as Krb from '../../formats/kerberos/error-code.ts';
import * as Status from '../../sspi/status.ts';

/** A refusal. */
export interface Refusal {
  /** SEC_E_*. */
  readonly status: number;
  /** error-code of a KRB-ERROR, RFC 4120 section 7.5.9. */
  readonly code: number;
  /** For the operator, never for the client. */
  readonly text: string;
  /** The checksum of the authenticator asks for mutual authentication, so that the client waits for an answer. */
  readonly wantsAnswer?: boolean;
}

/** A value, or why there is none. */
export type OrRefusal<T> = T | { readonly refusal: Refusal };

const statuses: ReadonlyMap<number, number> = new Map([
  [Krb.KRB_AP_ERR_TKT_EXPIRED, Status.SEC_E_CONTEXT_EXPIRED],
  [Krb.KRB_AP_ERR_TKT_NYV, Status.SEC_E_TIME_SKEW],
  [Krb.KRB_AP_ERR_SKEW, Status.SEC_E_TIME_SKEW],
  [Krb.KRB_AP_ERR_NOT_US, Status.SEC_E_WRONG_PRINCIPAL],
  [Krb.KRB_AP_ERR_BADKEYVER, Status.SEC_E_NO_KERB_KEY],
  [Krb.KRB_AP_ERR_NOKEY, Status.SEC_E_NO_KERB_KEY],
]);

/**
 * A refusal by an error of the protocol. A wrong proof is always SEC_E_LOGON_DENIED, whatever was wrong with it.
 *
 * @param code KRB_AP_ERR_*
 * @param status if it is not the one of the code
 */
export function refuse(code: number, text: string, status?: number): { readonly refusal: Refusal } {
  return { refusal: { status: status ?? statuses.get(code) ?? Status.SEC_E_LOGON_DENIED, code, text } };
}
