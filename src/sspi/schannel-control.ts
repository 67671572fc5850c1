/** Tokens of ApplyControlToken (schannel.h): a DWORD in the machine's order, little-endian, and what belongs to it. */

/** Asks for a new handshake. */
export const SCHANNEL_RENEGOTIATE = 0;
/** Closes the server's side. */
export const SCHANNEL_SHUTDOWN = 1;
/** Sends an alert: SCHANNEL_ALERT_TOKEN, three DWORDs (SCHANNEL_ALERT, level, number). */
export const SCHANNEL_ALERT = 2;

/** Level of an alert (RFC 8446 section 6). */
export const TLS1_ALERT_WARNING = 1;
export const TLS1_ALERT_FATAL = 2;
