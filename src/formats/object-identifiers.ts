/** Object identifiers of the mechanisms that GSS tokens name (RFC 2743 section 3.1), dotted. */

/** SPNEGO itself, RFC 4178 section 3. */
export const OID_SPNEGO = '1.3.6.1.5.5.2';
/** Kerberos 5, RFC 4121 section 4.1. */
export const OID_KERBEROS = '1.2.840.113554.1.2.2';
/**
 * Kerberos 5 with the OID of Windows 2000, in which one arc was cut to 16 bits (MS-SPNG 3.1.5.2). The mechanism is the
 * same.
 */
export const OID_KERBEROS_MICROSOFT = '1.2.840.48018.1.2.2';
/** Kerberos 5 user-to-user. */
export const OID_KERBEROS_USER_TO_USER = '1.2.840.113554.1.2.2.3';
/** NTLM, MS-SPNG 1.9. */
export const OID_NTLM = '1.3.6.1.4.1.311.2.2.10';
/** NEGOEX, MS-NEGOEX 1.9; never parsed here. */
export const OID_NEGOEX = '1.3.6.1.4.1.311.2.2.30';
