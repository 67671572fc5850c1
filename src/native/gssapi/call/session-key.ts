/** The session key of an established context: GSS_C_INQ_SSPI_SESSION_KEY (gssapi_krb5.h). Its type is MIT krb5's alone. */
import { inquire, InquiryOid } from './context-inquiry.ts';
import type { Frame } from './frame.ts';

/** 1.2.840.113554.1.2.2.5.5: the key, then an OID whose last arc is its encryption type. */
const sessionKeyOid = new InquiryOid('2a864886f7120102020505');

/** 1.2.840.113554.1.2.2.4, and one arc more: an encryption type (gssapiP_krb5.h of MIT krb5). */
const encryptionTypeOid = Buffer.from('2a864886f71201020204', 'hex');

/**
 * Queries the session key: the subkey that protects messages.
 *
 * @param handle gss_ctx_id_t of an established context
 * @returns a copy; undefined if the library does not give it
 */
export function sessionKey(frame: Frame, handle: bigint): Buffer | undefined {
  return inquire(frame, handle, sessionKeyOid)[0];
}

/**
 * Queries the encryption type of the session key. It need not be that of the ticket: client and acceptor may have agreed
 * on a better one (RFC 4537).
 *
 * @param handle gss_ctx_id_t of an established context
 * @returns undefined if the library does not tell it
 */
export function sessionKeyType(frame: Frame, handle: bigint): number | undefined {
  const [key, oid] = inquire(frame, handle, sessionKeyOid);
  key?.fill(0);
  const arc = oid?.at(-1);
  const isType = oid?.byteLength === encryptionTypeOid.byteLength + 1 && oid.subarray(0, -1).equals(encryptionTypeOid);
  return isType && arc !== undefined && arc < 0x80 ? arc : undefined;
}
