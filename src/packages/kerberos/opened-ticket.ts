/** Opens the ticket of an AP-REQ with a key of the service, and finds out whose it is. */
import { keyOfType } from '../../crypto/kerberos/key-of-type.ts';
import { KEY_USAGE_TICKET } from '../../crypto/kerberos/kerberos-key.ts';
import type { KerberosKey } from '../../crypto/kerberos/kerberos-key.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';
import { hasControlCharacter } from '../../foundation/text.ts';
import { decodeEncTicketPart, TICKET_ANONYMOUS } from '../../formats/kerberos/enc-ticket-part.ts';
import type { EncTicketPart } from '../../formats/kerberos/enc-ticket-part.ts';
import * as Krb from '../../formats/kerberos/error-code.ts';
import { krb5ErrorCode } from '../../formats/kerberos/error-code.ts';
import type { ApRequestHeader } from '../../formats/kerberos/kerberos-token.ts';
import { principalOf, principalText } from '../../formats/kerberos/principal-parts.ts';
import type { PrincipalParts } from '../../formats/kerberos/principal-parts.ts';
import { escapeComponent } from '../../formats/kerberos/principal.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { diagnose, serviceOf } from '../../kerberos/diagnosis.ts';
import { accountOf } from '../../kerberos/ticket-account.ts';
import type { AccountResult } from '../../kerberos/ticket-account.ts';
import { ticketAuthorization } from './authorization-rules.ts';
import { verifiesPac } from './pac-verification.ts';
import type { PortableSettings } from './portable-auth-data.ts';
import { refuse } from './refusal.ts';
import type { OrRefusal } from './refusal.ts';
import type { ServiceKey, ServiceKeys } from './service-keys.ts';

/** A ticket that a key of the service has decrypted. It says who the client is; it does not prove that it is there. */
export interface OpenedTicket {
  /** The key that decrypted it. */
  readonly serviceKey: ServiceKey;
  /** Wiped when the ticket is forgotten: contexts have copies. */
  readonly sessionKey: KerberosKey;
  readonly flags: number;
  readonly client: PrincipalParts;
  /** Whether there are realms between the client's and the service's. */
  readonly hasTransited: boolean;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly startTime: number;
  readonly endTime: number;
  /** The service that the KDC says the client meant. */
  readonly target: string | undefined;
  readonly hasPac: boolean;
  readonly account: AccountResult;
}

/** The principal of anonymous clients, RFC 8062 section 3. */
const ANONYMOUS_NAME = 'WELLKNOWN/ANONYMOUS';
const ANONYMOUS_REALM = 'WELLKNOWN:ANONYMOUS';

/** Field of a MalformedTokenError. */
const CLIENT_NAME = 'EncTicketPart.cname';

/** For the plain text of usual tickets, one after the other. It holds zeros in between. */
const room = new Uint8Array(4096);

/** Decrypts a ticket with the first key that fits. */
export function openTicket(
  request: ApRequestHeader,
  keys: ServiceKeys,
  settings: PortableSettings,
): OrRefusal<OpenedTicket> {
  let malformed: MalformedTokenError | undefined;
  for (const serviceKey of keys.candidates(request.ticket)) {
    const plain = serviceKey.key.decrypt(KEY_USAGE_TICKET, request.ticketCipher, room);
    if (plain === undefined) continue;
    try {
      return readTicket(request, decodeEncTicketPart(plain), serviceKey, settings);
    } catch (error) {
      if (!(error instanceof MalformedTokenError)) throw error;
      malformed = error;
    } finally {
      // It has the session key.
      plain.fill(0);
    }
  }
  if (malformed !== undefined) {
    const text =
      malformed.field === CLIENT_NAME && malformed.message.endsWith('is not UTF-8')
        ? reason('client-name-not-utf8')
        : reason('ticket-malformed', { service: serviceOf(request), detail: malformed.message });
    return refuse(Krb.KRB_AP_ERR_BAD_INTEGRITY, text);
  }
  return lacksKey(request, keys, settings);
}

/** @throws MalformedTokenError */
function readTicket(
  request: ApRequestHeader,
  ticket: EncTicketPart,
  serviceKey: ServiceKey,
  settings: PortableSettings,
): OrRefusal<OpenedTicket> {
  const { pac, target } = ticketAuthorization(ticket.authorizationData);
  const { encryptionType, value } = ticket.sessionKey;
  const sessionKey = encryptionType === request.sessionEncryptionType ? keyOfType(encryptionType, value) : undefined;
  if (sessionKey === undefined) {
    return refuse(Krb.KRB_AP_ERR_BAD_INTEGRITY, reason('session-key-differs', { service: serviceOf(request) }));
  }
  const { client, flags, startTime, endTime } = ticket;
  return {
    serviceKey,
    sessionKey,
    flags,
    client,
    hasTransited: ticket.transited.byteLength > 0,
    startTime,
    endTime,
    target,
    hasPac: pac !== undefined,
    account: accountOfTicket(ticket, pac, serviceKey, settings),
  };
}

function accountOfTicket(
  { client, flags, authTime }: EncTicketPart,
  pac: Uint8Array | undefined,
  { key, name, realm }: ServiceKey,
  settings: PortableSettings,
): AccountResult {
  const principal = principalOf(client);
  const text = principalText(principal);
  const service = `${name}@${escapeComponent(realm)}`;
  if (hasControlCharacter(text)) return { refusal: reason('client-name-unsafe') };
  const isAnonymous =
    (flags & TICKET_ANONYMOUS) !== 0 || principal.name === ANONYMOUS_NAME || client.realm === ANONYMOUS_REALM;
  if (isAnonymous) return { refusal: reason('client-anonymous', { client: text }) };
  if (pac !== undefined && !verifiesPac(pac, { key, client, authTime })) {
    return { refusal: reason('pac-unverified', { client: text }) };
  }
  return accountOf({ client: text, service, anonymous: false }, pac, settings);
}

/** Says what is missing, as libkrb5 tells the cases apart. */
function lacksKey(request: ApRequestHeader, keys: ServiceKeys, settings: PortableSettings): OrRefusal<OpenedTicket> {
  const { serviceName, realm, encryptionType, keyVersion } = request.ticket;
  const entries = keys.entries();
  const accepted = entries.filter((entry) => settings.acceptsService(entry.name, entry.realm));
  const named = accepted.filter((entry) => entry.name === serviceName && entry.realm === realm);
  const ofVersion = named.filter((entry) => entry.keyVersion === (keyVersion ?? 0));
  const code =
    accepted.length === 0
      ? Krb.KRB_AP_ERR_NOKEY
      : named.length === 0
        ? Krb.KRB_AP_ERR_NOT_US
        : ofVersion.some((entry) => entry.encryptionType === encryptionType)
          ? Krb.KRB_AP_ERR_BAD_INTEGRITY
          : Krb.KRB_AP_ERR_BADKEYVER;
  const minor = krb5ErrorCode(code);
  const keytab = { path: keys.describe(), entries, isOfPassword: keys.isOfPassword };
  const now = settings.clock.now();
  return refuse(code, diagnose({ minor, text: 'its integrity check failed', request, keytab, now }));
}
