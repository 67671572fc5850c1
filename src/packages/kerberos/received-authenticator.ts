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
import { describeService, diagnose } from '../../kerberos/diagnosis.ts';
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

/** Decrypts and verifies an authenticator. */
export function receiveAuthenticator(
  request: ApRequestHeader,
  ticket: OpenedTicket,
  settings: PortableSettings,
): OrRefusal<ReceivedAuthenticator> {
  const plain = ticket.sessionKey.decrypt(KEY_USAGE_AUTHENTICATOR, request.authenticatorCipher);
  const service = describeService(request);
  if (plain === undefined) {
    const text =
      `the client's authenticator for ${service} cannot be decrypted with the session key of its ticket: the token ` +
      'was altered, or put together from two';
    return refuse(Krb.KRB_AP_ERR_BAD_INTEGRITY, text);
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
    const text = `the client's authenticator for ${service} is malformed: ${error.message}`;
    return refuse(Krb.KRB_AP_ERR_BAD_INTEGRITY, text);
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
  const service = describeService(request);
  if (!isSamePrincipal(client, ticket.client)) {
    const text = `the client's authenticator for ${service} names another client than its ticket`;
    return refuse(Krb.KRB_AP_ERR_BADMATCH, text).refusal;
  }
  if (ticket.hasTransited && (ticket.flags & TICKET_TRANSITED_POLICY_CHECKED) === 0) {
    const text =
      `the client's ticket for ${service} came through other realms, and its KDC has not verified that it trusts them ` +
      '(TRANSITED-POLICY-CHECKED); let the KDC do so, or let the realms trust each other directly';
    return refuse(Krb.KRB_AP_PATH_NOT_ACCEPTED, text).refusal;
  }
  const now = Math.floor(clock.now() / 1000) * 1000;
  const keytab = { path: '', entries: [] };
  const byTime = (code: number, skew?: number): Refusal =>
    refuse(code, diagnose({ minor: krb5ErrorCode(code), text: '', request, keytab, skew })).refusal;
  if (ticket.startTime > now + clockSkewMilliseconds) return byTime(Krb.KRB_AP_ERR_TKT_NYV);
  if (now > ticket.endTime + clockSkewMilliseconds) return byTime(Krb.KRB_AP_ERR_TKT_EXPIRED);
  if (Math.abs(time - now) > clockSkewMilliseconds) {
    return byTime(Krb.KRB_AP_ERR_SKEW, Math.round((time - clock.now()) / 1000));
  }
  if ((ticket.flags & TICKET_INVALID) !== 0) {
    const text = `the client's ticket for ${service} is marked invalid: it was postdated, and never validated`;
    return refuse(Krb.KRB_ERR_GENERIC, text).refusal;
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
    const text = `the client's subkey for ${service} has encryption type ${encryptionTypeName(encryptionType)}, which is refused`;
    return refuse(Krb.KRB_ERR_GENERIC, text, Status.SEC_E_ALGORITHM_MISMATCH);
  }
  const key = keyOfType(encryptionType, value);
  return key ?? refuse(Krb.KRB_ERR_GENERIC, `the client's subkey for ${service} has not the length of its type`);
}
