/**
 * Converts the status codes of GSSAPI (RFC 2744 section 3.9) and Kerberos (RFC 4120 section 7.5.9) to those of SSPI.
 */
import { MalformedTokenError, SspiAuthError } from '../../../foundation/errors.ts';
import * as Krb from '../../../formats/kerberos/error-code.ts';
import { krb5ErrorCode } from '../../../formats/kerberos/error-code.ts';
import { decodeErrorCode, decodeKerberosToken, TOK_ID_KRB_ERROR } from '../../../formats/kerberos/kerberos-token.ts';
import * as Status from '../../../sspi/status.ts';
import type { Frame } from './frame.ts';

export const GSS_S_COMPLETE = 0;

/** Routine errors: bits 16 to 23 of the major status. */
const GSS_S_BAD_BINDINGS = 4;
const GSS_S_BAD_SIG = 6;
const GSS_S_NO_CRED = 7;
const GSS_S_DEFECTIVE_TOKEN = 9;
const GSS_S_CREDENTIALS_EXPIRED = 11;
const GSS_S_CONTEXT_EXPIRED = 12;
const GSS_S_BAD_QOP = 14;
const GSS_S_UNAVAILABLE = 16;

/** Supplementary bits: continue, duplicate, old, out of sequence, gap. A success has none of them. */
const SUPPLEMENTARY = 0xffff;

export {
  GSS_C_ANON_FLAG,
  GSS_C_CHANNEL_BOUND_FLAG,
  GSS_C_CONF_FLAG,
  GSS_C_DELEG_FLAG,
  GSS_C_IDENTIFY_FLAG,
  GSS_C_INTEG_FLAG,
  GSS_C_MUTUAL_FLAG,
  GSS_C_REPLAY_FLAG,
  GSS_C_SEQUENCE_FLAG,
} from '../../../formats/kerberos/gss-flags.ts';

/** Error codes of libkrb5 (krb5_err.et): a base plus the error code of the protocol. */
const code = krb5ErrorCode;
export const KRB_AP_ERR_BAD_INTEGRITY = code(Krb.KRB_AP_ERR_BAD_INTEGRITY);
export const KRB_AP_ERR_TKT_EXPIRED = code(Krb.KRB_AP_ERR_TKT_EXPIRED);
export const KRB_AP_ERR_TKT_NYV = code(Krb.KRB_AP_ERR_TKT_NYV);
export const KRB_AP_ERR_REPEAT = code(Krb.KRB_AP_ERR_REPEAT);
export const KRB_AP_ERR_NOT_US = code(Krb.KRB_AP_ERR_NOT_US);
export const KRB_AP_ERR_BADMATCH = code(Krb.KRB_AP_ERR_BADMATCH);
export const KRB_AP_ERR_SKEW = code(Krb.KRB_AP_ERR_SKEW);
export const KRB_AP_ERR_MODIFIED = code(Krb.KRB_AP_ERR_MODIFIED);
export const KRB_AP_ERR_BADKEYVER = code(Krb.KRB_AP_ERR_BADKEYVER);
export const KRB_AP_ERR_NOKEY = code(Krb.KRB_AP_ERR_NOKEY);
const KRB5_CONFIG_CANTOPEN = code(135);
const KRB5_CONFIG_BADFORMAT = code(136);
export { KRB5_RC_REPLAY } from '../../../formats/kerberos/error-code.ts';
export const KRB5_KT_NOTFOUND = code(181);
export const KRB5_KT_KVNONOTFOUND = code(230);
export const KRB5_NOPERM_ETYPE = code(236);

const byMinor: ReadonlyMap<number, number> = new Map([
  [KRB_AP_ERR_BAD_INTEGRITY, Status.SEC_E_LOGON_DENIED],
  [KRB_AP_ERR_TKT_EXPIRED, Status.SEC_E_CONTEXT_EXPIRED],
  [KRB_AP_ERR_TKT_NYV, Status.SEC_E_TIME_SKEW],
  [KRB_AP_ERR_REPEAT, Status.SEC_E_LOGON_DENIED],
  [KRB_AP_ERR_NOT_US, Status.SEC_E_WRONG_PRINCIPAL],
  [KRB_AP_ERR_BADMATCH, Status.SEC_E_LOGON_DENIED],
  [KRB_AP_ERR_SKEW, Status.SEC_E_TIME_SKEW],
  [KRB_AP_ERR_MODIFIED, Status.SEC_E_LOGON_DENIED],
  [KRB_AP_ERR_BADKEYVER, Status.SEC_E_NO_KERB_KEY],
  [KRB_AP_ERR_NOKEY, Status.SEC_E_NO_KERB_KEY],
  [Krb.KRB5_RC_REPLAY, Status.SEC_E_LOGON_DENIED],
  [KRB5_KT_NOTFOUND, Status.SEC_E_NO_KERB_KEY],
  [KRB5_KT_KVNONOTFOUND, Status.SEC_E_NO_KERB_KEY],
  [KRB5_NOPERM_ETYPE, Status.SEC_E_ALGORITHM_MISMATCH],
]);

/**
 * The error code in a KRB-ERROR message, as a code of libkrb5.
 *
 * @param token output token of gss_accept_sec_context
 * @returns 0 if the token is not a KRB-ERROR
 */
export function krbErrorCode(token: Uint8Array): number {
  try {
    const { tokenId, message } = decodeKerberosToken(token);
    return tokenId === TOK_ID_KRB_ERROR ? code(decodeErrorCode(message)) : 0;
  } catch (error) {
    if (error instanceof MalformedTokenError) return 0;
    throw error;
  }
}

/** Errors of the profile library of MIT krb5 (prof_err.et): 256 codes from here. */
const PROFILE_BASE = -1429577728;

/** Whether libkrb5 could not read krb5.conf. It reads the file again for each token if it has changed. */
export function isConfigurationError(minor: number): boolean {
  return (
    minor === KRB5_CONFIG_CANTOPEN ||
    minor === KRB5_CONFIG_BADFORMAT ||
    (minor >= PROFILE_BASE && minor < PROFILE_BASE + 256)
  );
}

/** The SSPI status for a failure of gss_accept_sec_context. It is never one that keeps a context. */
export function acceptFailure(major: number, minor: number): number {
  switch ((major >>> 16) & 0xff) {
    case GSS_S_BAD_BINDINGS:
      return Status.SEC_E_BAD_BINDINGS;
    case GSS_S_DEFECTIVE_TOKEN:
      return Status.SEC_E_INVALID_TOKEN;
    default:
      if (isConfigurationError(minor)) return Status.SEC_E_INTERNAL_ERROR;
      return byMinor.get(minor) ?? Status.SEC_E_LOGON_DENIED;
  }
}

/** Whether a token was refused because of its channel bindings. */
export function isBadBindings(major: number): boolean {
  return ((major >>> 16) & 0xff) === GSS_S_BAD_BINDINGS;
}

/**
 * The SSPI status for a result of gss_verify_mic, gss_unwrap and the like. A supplementary bit means a replay or a gap.
 */
export function messageStatus(major: number): number {
  if (major === GSS_S_COMPLETE) return Status.SEC_E_OK;
  switch ((major >>> 16) & 0xff) {
    case 0:
      return (major & SUPPLEMENTARY) !== 0 ? Status.SEC_E_OUT_OF_SEQUENCE : Status.SEC_E_INTERNAL_ERROR;
    case GSS_S_BAD_SIG:
    case GSS_S_DEFECTIVE_TOKEN:
      return Status.SEC_E_MESSAGE_ALTERED;
    case GSS_S_NO_CRED:
    case GSS_S_CREDENTIALS_EXPIRED:
    case GSS_S_CONTEXT_EXPIRED:
      return Status.SEC_E_CONTEXT_EXPIRED;
    case GSS_S_BAD_QOP:
      return Status.SEC_E_QOP_NOT_SUPPORTED;
    case GSS_S_UNAVAILABLE:
      return Status.SEC_E_UNSUPPORTED_FUNCTION;
    default:
      return Status.SEC_E_INTERNAL_ERROR;
  }
}

const GSS_C_GSS_CODE = 1;
const GSS_C_MECH_CODE = 2;

/**
 * The texts of the library for a major and a minor status. The library keeps the details of a minor status, such as the
 * name of the keytab, per thread. After a call on another thread, only the general text is available.
 */
export function statusText(frame: Frame, major: number, minor: number): string {
  const texts = [
    ...display(frame, major, GSS_C_GSS_CODE),
    ...(minor === 0 ? [] : display(frame, minor, GSS_C_MECH_CODE)),
  ];
  return texts.join('; ');
}

/** The error to throw if a call fails at start. @param name function that was called */
export function callFailure(frame: Frame, name: string, major: number): SspiAuthError {
  const text = statusText(frame, major, frame.minorStatus);
  return new SspiAuthError('ERR_SSPI_AUTH_STATUS', `sspi-auth: ${name}: ${text}`);
}

function display(frame: Frame, value: number, type: number): string[] {
  const texts: string[] = [];
  frame.moreValue = 0;
  // A code has a few texts. The limit is for a library that never ends its list: that must not hang the server.
  for (let index = 0; index < 8; index++) {
    const major = frame.library.gss.displayStatus(frame.minor, value >>> 0, type, null, frame.more, frame.display);
    const text = frame.takeDisplayText()?.trim();
    if (major !== GSS_S_COMPLETE) break;
    if (text !== undefined && text !== '') texts.push(text);
    if (frame.moreValue === 0) break;
  }
  return texts;
}
