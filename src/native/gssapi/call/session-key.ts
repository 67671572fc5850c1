/** The session key of an established context: GSS_C_INQ_SSPI_SESSION_KEY (gssapi_krb5.h of MIT krb5). */
import { inquire, InquiryOid } from './context-inquiry.ts';
import type { Frame } from './frame.ts';

/** 1.2.840.113554.1.2.2.5.5: the key, then an OID whose last arc is its encryption type. */
const sessionKeyOid = new InquiryOid('2a864886f7120102020505');

/**
 * Queries the session key: the subkey that protects messages.
 *
 * @param handle gss_ctx_id_t of an established context
 * @returns a copy; undefined if the library does not give it
 */
export function sessionKey(frame: Frame, handle: bigint): Buffer | undefined {
  return inquire(frame, handle, sessionKeyOid)[0];
}
