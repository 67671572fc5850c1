/** Error codes of Kerberos, RFC 4120 section 7.5.9: those that an acceptor gives. */
export const KRB_AP_ERR_BAD_INTEGRITY = 31;
export const KRB_AP_ERR_TKT_EXPIRED = 32;
export const KRB_AP_ERR_TKT_NYV = 33;
export const KRB_AP_ERR_REPEAT = 34;
export const KRB_AP_ERR_NOT_US = 35;
export const KRB_AP_ERR_BADMATCH = 36;
export const KRB_AP_ERR_SKEW = 37;
export const KRB_AP_ERR_MSG_TYPE = 40;
export const KRB_AP_ERR_MODIFIED = 41;
export const KRB_AP_ERR_BADKEYVER = 44;
export const KRB_AP_ERR_NOKEY = 45;
export const KRB_AP_ERR_INAPP_CKSUM = 50;
export const KRB_AP_PATH_NOT_ACCEPTED = 51;
export const KRB_ERR_GENERIC = 60;

/** Base of the codes of libkrb5 (krb5_err.et). */
const KRB5_BASE = -1765328384;

/** A code of the protocol as libkrb5 writes it (com_err). */
export function krb5ErrorCode(code: number): number {
  return KRB5_BASE + code;
}

/** libkrb5's own code for a replay: its replay cache has the authenticator. */
export const KRB5_RC_REPLAY = krb5ErrorCode(163);
