/** Explains to the operator why a ticket was refused. These texts are never sent to the client. */
import * as Krb from '../formats/kerberos/error-code.ts';
import { krb5ErrorCode } from '../formats/kerberos/error-code.ts';
import { encryptionTypeName } from '../formats/kerberos/kerberos-token.ts';
import type { ApRequestHeader } from '../formats/kerberos/kerberos-token.ts';
import { describeKeytabEntries } from '../formats/kerberos/keytab.ts';
import type { KeytabEntry } from '../formats/kerberos/keytab.ts';
import { hasControlCharacter } from '../foundation/text.ts';

/** The entries of a keytab, without their keys. */
export interface KeytabListing {
  /** Path of the file, or what stands after `the keytab` if it is none. */
  readonly path: string;
  readonly entries: readonly KeytabEntry[];
}

/** A refusal by an acceptor. */
export interface Refusal {
  /** Code as libkrb5 writes it: minor_status, signed. */
  readonly minor: number;
  /** Text of the acceptor for the status. */
  readonly text: string;
  readonly request: ApRequestHeader;
  readonly keytab: KeytabListing;
  /** Time of the client minus time of the server, in seconds. Undefined if it could not be found out. */
  readonly skew?: number | undefined;
}

/**
 * The service of a ticket with its realm. It is safe for the log: a text with control characters or with more than 300
 * characters is quoted and cut.
 */
export function describeService(request: ApRequestHeader): string {
  const { serviceName, realm } = request.ticket;
  const text = `${serviceName}@${realm}`;
  return hasControlCharacter(text) || text.length > 300 ? JSON.stringify(text.slice(0, 300)) : text;
}

/** Says in one or two sentences what happened and what to do. */
export function diagnose(refusal: Refusal): string {
  const { minor, request, keytab, skew, text } = refusal;
  const service = describeService(request);
  switch (minor) {
    case krb5ErrorCode(Krb.KRB_AP_ERR_SKEW):
      return skew === undefined
        ? `the clocks of client and server differ by more than libkrb5 allows (${text}); set both by NTP`
        : `the client's clock is ${Math.abs(skew)} seconds ${skew < 0 ? 'behind' : 'ahead of'} this server's; set both by NTP`;
    case krb5ErrorCode(Krb.KRB_AP_ERR_TKT_EXPIRED):
      return `the client's ticket for ${service} has expired`;
    case krb5ErrorCode(Krb.KRB_AP_ERR_TKT_NYV):
      return `the client's ticket for ${service} is not yet valid; compare the clocks of client, server and KDC`;
    case krb5ErrorCode(Krb.KRB_AP_ERR_REPEAT):
    case Krb.KRB5_RC_REPLAY:
      return describeReplay(request);
    case krb5ErrorCode(Krb.KRB_AP_ERR_BAD_INTEGRITY):
    case krb5ErrorCode(Krb.KRB_AP_ERR_MODIFIED):
      return (
        missingKey(request, keytab) ??
        `the ticket for ${service} cannot be decrypted with the key in ${keytab.path}: the password of the account ` +
          'was changed and the keytab was not exported again, the service name is on another account, or the token ' +
          `was altered (${text})`
      );
    default:
      return missingKey(request, keytab) ?? `the ticket for ${service} was refused: ${text}`;
  }
}

/** The text for an Authenticator that was accepted before. */
export function describeReplay(request: ApRequestHeader): string {
  return (
    `the client's authenticator for ${describeService(request)} was used before: this is a replay, or a request was ` +
    'verified twice'
  );
}

/** The text for an Authenticator that is so old that the replay cache may not remember it. */
export function describeOldAuthenticator(request: ApRequestHeader): string {
  return (
    `the client's authenticator for ${describeService(request)} is older than what this server remembers (the server ` +
    'was started after it, or its clock was set back), so a replay could not be recognized; if this continues, set ' +
    'the clocks of client and server by NTP'
  );
}

/** Says which key the keytab lacks for a ticket. Undefined if it has the key that the ticket names. */
function missingKey(request: ApRequestHeader, keytab: KeytabListing): string | undefined {
  const { serviceName, realm, encryptionType, keyVersion } = request.ticket;
  const service = describeService(request);
  const type = encryptionTypeName(encryptionType);
  const named = keytab.entries.filter((entry) => sameService(entry, serviceName, realm));
  if (named.length === 0) {
    return (
      `the keytab ${keytab.path} has no key for ${service}, the service of the client's ticket ` +
      `(it has ${describeKeytabEntries(keytab.entries)}); export a key for that service, or correct the host name ` +
      'that clients use for this server'
    );
  }
  const ofType = named.filter((entry) => entry.encryptionType === encryptionType);
  if (ofType.length === 0) {
    return (
      `the keytab ${keytab.path} has no ${type} key for ${service} (it has ${describeKeytabEntries(named)}); ` +
      'export it again with that encryption type'
    );
  }
  if (keyVersion !== undefined && !ofType.some((entry) => entry.keyVersion === keyVersion)) {
    return (
      `the client's ticket for ${service} is under key version (kvno) ${keyVersion}, but the keytab ${keytab.path} has ` +
      `kvno ${[...new Set(ofType.map((entry) => entry.keyVersion))].join(', ')} (${type}); export the keytab again, ` +
      'or, if the ticket is from before a change of the key, have the client get a new one'
    );
  }
  return undefined;
}

function sameService(entry: KeytabEntry, name: string, realm: string): boolean {
  return entry.name.toLowerCase() === name.toLowerCase() && entry.realm.toLowerCase() === realm.toLowerCase();
}
