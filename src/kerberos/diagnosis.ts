/** Explains to the operator why a ticket was refused. These texts are never sent to the client. */
import { hostname } from 'node:os';
import * as Krb from '../formats/kerberos/error-code.ts';
import { isSystemError, krb5ErrorCode } from '../formats/kerberos/error-code.ts';
import { encryptionTypeName } from '../formats/kerberos/kerberos-token.ts';
import type { ApRequestHeader } from '../formats/kerberos/kerberos-token.ts';
import type { KeytabEntry } from '../formats/kerberos/keytab.ts';
import { reason } from '../identity/reasons/reason.ts';
import { describeClocks } from './clocks.ts';
import type { TicketTimes } from './clocks.ts';

/** The entries of a keytab, without their keys. */
export interface KeytabListing {
  /** Path of the file, or what stands after `the keytab` if it is none. */
  readonly path: string;
  readonly entries: readonly KeytabEntry[];
  /** The keys are those of a password: there is no file, and no kvno. */
  readonly isOfPassword?: boolean | undefined;
}

/** A refusal by an acceptor. */
export interface Refusal {
  /** Code as libkrb5 writes it: minor_status, signed. */
  readonly minor: number;
  /** Text of the acceptor for the status. */
  readonly text: string;
  readonly request: ApRequestHeader;
  readonly keytab: KeytabListing;
  /** Times of ticket and client; undefined if they could not be found out. */
  readonly times?: TicketTimes | undefined;
  /** Time of this server, in milliseconds since 1970-01-01 UTC. */
  readonly now: number;
  /** The encryption types that krb5.conf permits, where the library tells. */
  readonly permitted?: readonly number[] | undefined;
}

/** The service of a ticket with its realm, as the client wrote it: reason() makes it safe. */
export function serviceOf(request: ApRequestHeader): string {
  const { serviceName, realm } = request.ticket;
  return `${serviceName}@${realm}`;
}

/** Says what to do and what happened. */
export function diagnose(refusal: Refusal): string {
  const { minor, request, keytab, text } = refusal;
  const service = serviceOf(request);
  switch (minor) {
    case krb5ErrorCode(Krb.KRB_AP_ERR_SKEW):
    case krb5ErrorCode(Krb.KRB_AP_ERR_TKT_EXPIRED):
    case krb5ErrorCode(Krb.KRB_AP_ERR_TKT_NYV):
      return describeClocks(minor, service, refusal);
    case krb5ErrorCode(Krb.KRB_AP_ERR_REPEAT):
    case Krb.KRB5_RC_REPLAY:
      return reason('replay', { service });
    case krb5ErrorCode(Krb.KRB_AP_ERR_BAD_INTEGRITY):
    case krb5ErrorCode(Krb.KRB_AP_ERR_MODIFIED):
      return (
        wrongKey(refusal) ??
        reason('key-does-not-fit', {
          service,
          spn: request.ticket.serviceName,
          keytab: keytab.path,
          detail: text,
        })
      );
    default:
      if (isSystemError(minor)) return reason('replay-cache-away', { service, detail: text });
      return wrongKey(refusal) ?? reason('library-refused', { service, detail: text });
  }
}

/** Says what is wrong with the keys for a ticket. Undefined if the keytab has the key that the ticket names. */
function wrongKey({ request, keytab, permitted }: Refusal): string | undefined {
  const { serviceName, realm, encryptionType, keyVersion } = request.ticket;
  const { path, entries } = keytab;
  const fields = { service: serviceOf(request), spn: serviceName, keytab: path };
  const type = encryptionTypeName(encryptionType);
  const named = entries.filter((entry) => entry.name === serviceName && entry.realm === realm);
  if (named.length === 0) {
    const similar = entries.filter((entry) => differsByCase(entry, serviceName, realm));
    if (similar.length > 0) return reason('keytab-differs-by-case', { ...fields, similar: principalsOf(similar) });
    const why = isOwnName(serviceName) ? 'keytab-lacks-computer-name' : 'keytab-lacks-service';
    return reason(why, { ...fields, names: principalsOf(entries) });
  }
  if (permitted?.includes(encryptionType) === false) {
    return reason('type-not-permitted', {
      service: fields.service,
      type,
      permitted: permitted.map((one) => encryptionTypeName(one)),
    });
  }
  const ofType = named.filter((entry) => entry.encryptionType === encryptionType);
  if (ofType.length === 0) {
    return reason('keytab-lacks-type', {
      ...fields,
      type,
      types: named.map((entry) => encryptionTypeName(entry.encryptionType)),
    });
  }
  if (keytab.isOfPassword === true) return reason('password-does-not-fit', { service: fields.service, keys: path });
  const versions = [...new Set(ofType.map((entry) => entry.keyVersion))];
  if (keyVersion === undefined || versions.includes(keyVersion)) return undefined;
  const why = keyVersion > Math.max(...versions) ? 'keytab-key-is-older' : 'ticket-key-is-older';
  return reason(why, { ...fields, type, ticketVersion: keyVersion, versions: versions.map(String) });
}

function differsByCase(entry: KeytabEntry, name: string, realm: string): boolean {
  return entry.name.toLowerCase() === name.toLowerCase() && entry.realm.toLowerCase() === realm.toLowerCase();
}

/** Names without versions and types: what a person looks for is whether the name is there. */
function principalsOf(entries: readonly KeytabEntry[]): readonly string[] {
  return entries.map(({ name, realm }) => `${name}@${realm}`);
}

/** Whether the service is HTTP under the name of this computer, with or without a domain. */
function isOwnName(serviceName: string): boolean {
  const [, host = ''] = serviceName.toLowerCase().split('/');
  const [own = ''] = hostname().toLowerCase().split('.');
  return own !== '' && own !== 'localhost' && (host === own || host.startsWith(`${own}.`));
}
