/** Verifies the authenticator of an AP-REQ against its ticket and the time: RFC 4120 section 3.2.3. */
import { keyOfType } from '../../crypto/kerberos/key-of-type.ts';
import { KEY_USAGE_AUTHENTICATOR } from '../../crypto/kerberos/kerberos-key.ts';
import type { KerberosKey } from '../../crypto/kerberos/kerberos-key.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';
import { decodeAuthenticatorFields } from '../../formats/kerberos/authenticator-fields.ts';
import type { AuthenticatorFields, Checksum } from '../../formats/kerberos/authenticator-fields.ts';
import { TICKET_INVALID, TICKET_TRANSITED_POLICY_CHECKED } from '../../formats/kerberos/enc-ticket-part.ts';
import * as Krb from '../../formats/kerberos/error-code.ts';
import { krb5ErrorCode } from '../../formats/kerberos/error-code.ts';
import { encryptionTypeName } from '../../formats/kerberos/kerberos-token.ts';
import type { ApRequestHeader } from '../../formats/kerberos/kerberos-token.ts';
import { isSamePrincipal } from '../../formats/kerberos/principal-parts.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { diagnose, serviceOf } from '../../kerberos/diagnosis.ts';
import * as Status from '../../sspi/status.ts';
import { authenticatorAuthorization } from './authorization-rules.ts';
import type { AuthenticatorAuthorization } from './authorization-rules.ts';
import type { OpenedTicket } from './opened-ticket.ts';
import type { PortableSettings } from './portable-auth-data.ts';
import { refuse } from './refusal.ts';
import type { OrRefusal, Refusal } from './refusal.ts';

/** An authenticator that belongs to its ticket and to this moment. Whether it is a replay is not known yet. */
export interface ReceivedAuthenticator extends AuthenticatorAuthorization {
  /** Copied. */
  readonly checksum: Checksum | undefined;
  /** Milliseconds since 1970-01-01 UTC, whole seconds. */
  readonly time: number;
  readonly microseconds: number;
  /** The caller wipes it. */
  readonly subkey: KerberosKey | undefined;
  readonly sequenceNumber: number;
}

/** For the plain text of usual authenticators, one after the other. It holds zeros in between. */
const room = new Uint8Array(2048);

/** Decrypts and verifies an authenticator. */
export function receiveAuthenticator(
  request: ApRequestHeader,
  ticket: OpenedTicket,
  settings: PortableSettings,
): OrRefusal<ReceivedAuthenticator> {
  // The type stands in the clear, and the ticket may be known from a request that named another.
  const isOfType = request.sessionEncryptionType === ticket.sessionKey.encryptionType;
  const plain = isOfType
    ? ticket.sessionKey.decrypt(KEY_USAGE_AUTHENTICATOR, request.authenticatorCipher, room)
    : undefined;
  const service = serviceOf(request);
  if (plain === undefined) {
    return refuse(Krb.KRB_AP_ERR_BAD_INTEGRITY, reason('authenticator-not-opened', { service }));
  }
  try {
    const fields = decodeAuthenticatorFields(plain);
    const refusal = refusalByTicket(request, ticket, fields, settings);
    if (refusal !== undefined) return { refusal };
    const authorization = authenticatorAuthorization(fields.authorizationData);
    const subkey = subkeyOf(fields, service, settings);
    if (subkey !== undefined && 'refusal' in subkey) return subkey;
    const { checksum, time, microseconds, sequenceNumber } = fields;
    return {
      ...authorization,
      // Copied: the plain text is wiped.
      checksum: checksum && { type: checksum.type, content: Uint8Array.from(checksum.content) },
      time,
      microseconds,
      subkey,
      sequenceNumber,
    };
  } catch (error) {
    if (!(error instanceof MalformedTokenError)) throw error;
    return refuse(Krb.KRB_AP_ERR_BAD_INTEGRITY, reason('authenticator-malformed', { service, detail: error.message }));
  } finally {
    // It has the subkey.
    plain.fill(0);
  }
}

/** Names, realms in between, and times (attacks D03, D04, D07). Times are compared in whole seconds, as libkrb5 does. */
function refusalByTicket(
  request: ApRequestHeader,
  ticket: OpenedTicket,
  { client, time }: AuthenticatorFields,
  { clock, clockSkewMilliseconds }: PortableSettings,
): Refusal | undefined {
  const service = serviceOf(request);
  if (!isSamePrincipal(client, ticket.client)) {
    return refuse(Krb.KRB_AP_ERR_BADMATCH, reason('authenticator-of-another', { service })).refusal;
  }
  if (ticket.hasTransited && (ticket.flags & TICKET_TRANSITED_POLICY_CHECKED) === 0) {
    return refuse(Krb.KRB_AP_PATH_NOT_ACCEPTED, reason('realms-not-verified', { service })).refusal;
  }
  const now = Math.floor(clock.now() / 1000) * 1000;
  const keytab = { path: '', entries: [] };
  const times = { client: time, start: ticket.startTime, end: ticket.endTime };
  const byTime = (code: number): Refusal =>
    refuse(code, diagnose({ minor: krb5ErrorCode(code), text: '', request, keytab, times, now: clock.now() })).refusal;
  if (ticket.startTime > now + clockSkewMilliseconds) return byTime(Krb.KRB_AP_ERR_TKT_NYV);
  if (now > ticket.endTime + clockSkewMilliseconds) return byTime(Krb.KRB_AP_ERR_TKT_EXPIRED);
  if (Math.abs(time - now) > clockSkewMilliseconds) return byTime(Krb.KRB_AP_ERR_SKEW);
  if ((ticket.flags & TICKET_INVALID) !== 0) {
    return refuse(Krb.KRB_ERR_GENERIC, reason('ticket-invalid', { service })).refusal;
  }
  return undefined;
}

/** @throws nothing. A key of a type that is refused, or of a wrong length, is a refusal (attack D06) */
function subkeyOf(
  { subkey }: AuthenticatorFields,
  service: string,
  { encryptionTypes }: PortableSettings,
): OrRefusal<KerberosKey> | undefined {
  if (subkey === undefined) return undefined;
  const { encryptionType, value } = subkey;
  if (!encryptionTypes.has(encryptionType)) {
    const text = reason('client-key-refused', { service, type: encryptionTypeName(encryptionType) });
    return refuse(Krb.KRB_ERR_GENERIC, text, Status.SEC_E_ALGORITHM_MISMATCH);
  }
  const key = keyOfType(encryptionType, value);
  return key ?? refuse(Krb.KRB_ERR_GENERIC, reason('subkey-length', { service }));
}
