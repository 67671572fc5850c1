/**
 * Status codes of SSPI (winerror.h), as unsigned 32-bit numbers.
 *
 * `acceptSecurityContextStatuses` holds the sixteen codes of the page "AcceptSecurityContext (General)", with the
 * meaning of each. The second table holds the codes that the companion functions add. A status is returned, never
 * thrown.
 */

/** The context is accepted; an output token, if there is one, still goes to the client. */
export const SEC_E_OK = 0x00000000;
/** Send the output token, wait for the client's next one, call again with it. */
export const SEC_I_CONTINUE_NEEDED = 0x00090312;
/** Call completeAuthToken: its status is the result. Until then the client is not verified. */
export const SEC_I_COMPLETE_NEEDED = 0x00090313;
/** Call completeAuthToken, send the token, wait for the client's next one. */
export const SEC_I_COMPLETE_AND_CONTINUE = 0x00090314;
/** Not enough memory, or the caller's output buffer is too small. */
export const SEC_E_INSUFFICIENT_MEMORY = 0x80090300;
/** A handle is not valid. One documentation page prints 0x80100003 for it; winerror.h has this value. */
export const SEC_E_INVALID_HANDLE = 0x80090301;
/** A requirement or function that the package does not support. */
export const SEC_E_UNSUPPORTED_FUNCTION = 0x80090302;
/** An error that has no code of its own. */
export const SEC_E_INTERNAL_ERROR = 0x80090304;
/** The token is not valid. */
export const SEC_E_INVALID_TOKEN = 0x80090308;
/** The logon failed. */
export const SEC_E_LOGON_DENIED = 0x8009030c;
/** The credential handle is not valid (Digest, Schannel). */
export const SEC_E_NO_CREDENTIALS = 0x8009030e;
/** No authority could verify the client: domain not available, trust broken, account file unreadable. */
export const SEC_E_NO_AUTHENTICATING_AUTHORITY = 0x80090311;
/** The input is incomplete: read more and call again (Schannel). */
export const SEC_E_INCOMPLETE_MESSAGE = 0x80090318;
/** A requirement that cannot be met (Digest). */
export const SEC_E_SECURITY_QOS_FAILED = 0x80090332;
/** The channel-binding policy is not met. */
export const SEC_E_BAD_BINDINGS = 0x80090346;
/** Called after the context was established (Digest). */
export const STATUS_LOGON_FAILURE = 0xc000006d;

export const SEC_E_TARGET_UNKNOWN = 0x80090303;
export const SEC_E_SECPKG_NOT_FOUND = 0x80090305;
export const SEC_E_QOP_NOT_SUPPORTED = 0x8009030a;
export const SEC_E_NO_IMPERSONATION = 0x8009030b;
export const SEC_E_UNKNOWN_CREDENTIALS = 0x8009030d;
export const SEC_E_MESSAGE_ALTERED = 0x8009030f;
export const SEC_E_OUT_OF_SEQUENCE = 0x80090310;
export const SEC_E_CONTEXT_EXPIRED = 0x80090317;
/** The client has closed its side (close_notify). Not SEC_E_CONTEXT_EXPIRED: only the top byte differs. */
export const SEC_I_CONTEXT_EXPIRED = 0x00090317;
/** The client asks for a new handshake. Not SEC_E_BUFFER_TOO_SMALL: only the top byte differs. */
export const SEC_I_RENEGOTIATE = 0x00090321;
export const SEC_E_BUFFER_TOO_SMALL = 0x80090321;
export const SEC_E_WRONG_PRINCIPAL = 0x80090322;
export const SEC_E_TIME_SKEW = 0x80090324;
export const SEC_E_UNTRUSTED_ROOT = 0x80090325;
export const SEC_E_ILLEGAL_MESSAGE = 0x80090326;
export const SEC_E_CERT_UNKNOWN = 0x80090327;
export const SEC_E_CERT_EXPIRED = 0x80090328;
export const SEC_E_DECRYPT_FAILURE = 0x80090330;
export const SEC_E_ALGORITHM_MISMATCH = 0x80090331;
export const SEC_E_UNFINISHED_CONTEXT_DELETED = 0x80090333;
export const SEC_E_NO_KERB_KEY = 0x80090348;
export const SEC_E_DOWNGRADE_DETECTED = 0x80090350;
export const SEC_E_INVALID_PARAMETER = 0x8009035d;
export const SEC_E_NO_CONTEXT = 0x80090361;
export const SEC_E_MUTUAL_AUTH_FAILED = 0x80090363;
export const SEC_E_APPLICATION_PROTOCOL_MISMATCH = 0x80090367;

/** One row of a status table. */
export interface StatusDescription {
  /** Unsigned 32-bit value. */
  readonly value: number;
  /** The name as winerror.h prints it. */
  readonly name: string;
  /** What it tells the caller. */
  readonly meaning: string;
}

const row = (value: number, name: string, meaning: string): StatusDescription =>
  Object.freeze({ value, name, meaning });

/** The sixteen statuses of AcceptSecurityContext (General), section "Return value". */
export const acceptSecurityContextStatuses: readonly StatusDescription[] = Object.freeze([
  row(SEC_E_OK, 'SEC_E_OK', 'the context is accepted; an output token, if any, goes to the client'),
  row(SEC_I_CONTINUE_NEEDED, 'SEC_I_CONTINUE_NEEDED', 'send the output token and call again with the reply'),
  row(SEC_I_COMPLETE_NEEDED, 'SEC_I_COMPLETE_NEEDED', 'completeAuthToken gives the result'),
  row(SEC_I_COMPLETE_AND_CONTINUE, 'SEC_I_COMPLETE_AND_CONTINUE', 'completeAuthToken, then send and call again'),
  row(SEC_E_BAD_BINDINGS, 'SEC_E_BAD_BINDINGS', 'the channel-binding policy is not met'),
  row(SEC_E_INCOMPLETE_MESSAGE, 'SEC_E_INCOMPLETE_MESSAGE', 'the input is incomplete: read more and call again'),
  row(SEC_E_INSUFFICIENT_MEMORY, 'SEC_E_INSUFFICIENT_MEMORY', 'not enough memory for the output'),
  row(SEC_E_INTERNAL_ERROR, 'SEC_E_INTERNAL_ERROR', 'an error that has no code of its own'),
  row(SEC_E_INVALID_HANDLE, 'SEC_E_INVALID_HANDLE', 'a handle is not valid, was deleted, or is in use'),
  row(SEC_E_INVALID_TOKEN, 'SEC_E_INVALID_TOKEN', 'the token is not valid'),
  row(SEC_E_LOGON_DENIED, 'SEC_E_LOGON_DENIED', 'the logon failed'),
  row(SEC_E_NO_AUTHENTICATING_AUTHORITY, 'SEC_E_NO_AUTHENTICATING_AUTHORITY', 'no authority could verify the client'),
  row(SEC_E_NO_CREDENTIALS, 'SEC_E_NO_CREDENTIALS', 'the credential handle is not valid (Digest, Schannel)'),
  row(SEC_E_SECURITY_QOS_FAILED, 'SEC_E_SECURITY_QOS_FAILED', 'a requirement that cannot be met (Digest)'),
  row(SEC_E_UNSUPPORTED_FUNCTION, 'SEC_E_UNSUPPORTED_FUNCTION', 'a requirement that the package does not support'),
  row(STATUS_LOGON_FAILURE, 'STATUS_LOGON_FAILURE', 'called after the context was established (Digest)'),
]);

const companionStatuses: readonly StatusDescription[] = Object.freeze([
  row(SEC_E_TARGET_UNKNOWN, 'SEC_E_TARGET_UNKNOWN', 'the target is not known'),
  row(SEC_E_SECPKG_NOT_FOUND, 'SEC_E_SECPKG_NOT_FOUND', 'no such security package on this machine'),
  row(SEC_E_QOP_NOT_SUPPORTED, 'SEC_E_QOP_NOT_SUPPORTED', 'the context was made without this protection'),
  row(SEC_E_NO_IMPERSONATION, 'SEC_E_NO_IMPERSONATION', 'no impersonation is possible on this context'),
  row(SEC_E_UNKNOWN_CREDENTIALS, 'SEC_E_UNKNOWN_CREDENTIALS', 'the credentials are not known'),
  row(SEC_E_MESSAGE_ALTERED, 'SEC_E_MESSAGE_ALTERED', 'message or signature was changed'),
  row(SEC_E_OUT_OF_SEQUENCE, 'SEC_E_OUT_OF_SEQUENCE', 'the message is out of sequence or a replay'),
  row(SEC_E_CONTEXT_EXPIRED, 'SEC_E_CONTEXT_EXPIRED', 'the context or ticket has expired'),
  row(SEC_I_CONTEXT_EXPIRED, 'SEC_I_CONTEXT_EXPIRED', 'the client has closed its side of the connection'),
  row(SEC_I_RENEGOTIATE, 'SEC_I_RENEGOTIATE', 'the client asks for a new handshake'),
  row(SEC_E_UNTRUSTED_ROOT, 'SEC_E_UNTRUSTED_ROOT', 'the root of the certificate is not trusted'),
  row(SEC_E_ILLEGAL_MESSAGE, 'SEC_E_ILLEGAL_MESSAGE', 'the message is not expected or not valid'),
  row(SEC_E_CERT_UNKNOWN, 'SEC_E_CERT_UNKNOWN', 'the certificate could not be processed'),
  row(SEC_E_CERT_EXPIRED, 'SEC_E_CERT_EXPIRED', 'the certificate has expired'),
  row(
    SEC_E_APPLICATION_PROTOCOL_MISMATCH,
    'SEC_E_APPLICATION_PROTOCOL_MISMATCH',
    'no application protocol (ALPN) in common',
  ),
  row(SEC_E_BUFFER_TOO_SMALL, 'SEC_E_BUFFER_TOO_SMALL', 'a buffer is too small'),
  row(SEC_E_WRONG_PRINCIPAL, 'SEC_E_WRONG_PRINCIPAL', 'the token is for another service'),
  row(SEC_E_TIME_SKEW, 'SEC_E_TIME_SKEW', 'the clocks differ too much'),
  row(SEC_E_DECRYPT_FAILURE, 'SEC_E_DECRYPT_FAILURE', 'the message could not be decrypted'),
  row(SEC_E_ALGORITHM_MISMATCH, 'SEC_E_ALGORITHM_MISMATCH', 'no algorithm in common'),
  row(SEC_E_UNFINISHED_CONTEXT_DELETED, 'SEC_E_UNFINISHED_CONTEXT_DELETED', 'the context was deleted while in use'),
  row(SEC_E_NO_KERB_KEY, 'SEC_E_NO_KERB_KEY', 'no key for this ticket'),
  row(SEC_E_DOWNGRADE_DETECTED, 'SEC_E_DOWNGRADE_DETECTED', 'an attempt to weaken the negotiation'),
  row(SEC_E_INVALID_PARAMETER, 'SEC_E_INVALID_PARAMETER', 'a parameter is not valid'),
  row(SEC_E_NO_CONTEXT, 'SEC_E_NO_CONTEXT', 'there is no such context'),
  row(SEC_E_MUTUAL_AUTH_FAILED, 'SEC_E_MUTUAL_AUTH_FAILED', 'mutual authentication failed'),
]);

const names: ReadonlyMap<number, string> = new Map(
  [...acceptSecurityContextStatuses, ...companionStatuses].map(({ value, name }) => [value, name]),
);

/**
 * The name of a status, for messages and logs.
 *
 * @param status as int32 or as unsigned 32 bits: both forms of one code give the same name
 * @returns its name in winerror.h, or `0x…` with eight hexadecimal digits for a code that is not in the tables
 */
export function statusName(status: number): string {
  const value = status >>> 0;
  return names.get(value) ?? `0x${value.toString(16).padStart(8, '0')}`;
}

/**
 * Whether the context still exists after a status. Every status that is not listed here is a failure, also an unknown
 * positive one (attack G07).
 *
 * @param status unsigned 32 bits
 */
export function keepsContext(status: number): boolean {
  switch (status) {
    case SEC_E_OK:
    case SEC_I_CONTINUE_NEEDED:
    case SEC_I_COMPLETE_NEEDED:
    case SEC_I_COMPLETE_AND_CONTINUE:
    case SEC_E_INCOMPLETE_MESSAGE:
      return true;
    default:
      return false;
  }
}
