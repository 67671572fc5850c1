/** Why a ticket was refused, for the one who runs the server. None of it is for the client. */
import { encryptionTypeName } from '../../../formats/kerberos/kerberos-token.ts';
import type { ApRequestHeader } from '../../../formats/kerberos/kerberos-token.ts';
import { describeKeytabEntries } from '../../../formats/kerberos/keytab.ts';
import type { KeytabEntry } from '../../../formats/kerberos/keytab.ts';
import * as Gss from '../call/gss-status.ts';
import type { KeytabListing } from './keytab-file.ts';
import { hasControlCharacter } from '../../../foundation/text.ts';

/** What is known about a refusal by the library. */
export interface Refusal {
  /** minor_status, signed. */
  readonly minor: number;
  /** What the library says. */
  readonly text: string;
  readonly request: ApRequestHeader;
  readonly keytab: KeytabListing;
  /** Seconds by which the client's clock is ahead (or, negative, behind), where that could be found out. */
  readonly skew?: number | undefined;
}

/** A service with its realm, safe to print. */
export function describeService(request: ApRequestHeader): string {
  const { serviceName, realm } = request.ticket;
  const text = `${serviceName}@${realm}`;
  return hasControlCharacter(text) || text.length > 300 ? JSON.stringify(text.slice(0, 300)) : text;
}

/** One or two sentences: what happened, and what to do. */
export function diagnose(refusal: Refusal): string {
  const { minor, request, keytab, skew, text } = refusal;
  const service = describeService(request);
  switch (minor) {
    case Gss.KRB_AP_ERR_SKEW:
      return skew === undefined
        ? `the clocks of client and server differ by more than libkrb5 allows (${text}); set both by NTP`
        : `the client's clock is ${Math.abs(skew)} seconds ${skew < 0 ? 'behind' : 'ahead of'} this server's; set both by NTP`;
    case Gss.KRB_AP_ERR_TKT_EXPIRED:
      return `the client's ticket for ${service} has expired`;
    case Gss.KRB_AP_ERR_TKT_NYV:
      return `the client's ticket for ${service} is not yet valid; compare the clocks of client, server and KDC`;
    case Gss.KRB_AP_ERR_REPEAT:
    case Gss.KRB5_RC_REPLAY:
      return describeReplay(request);
    case Gss.KRB_AP_ERR_BAD_INTEGRITY:
    case Gss.KRB_AP_ERR_MODIFIED:
      return (
        missingKey(request, keytab) ??
        `the ticket for ${service} cannot be decrypted with the key in ${keytab.path}: the account's password was changed ` +
          `without exporting the keytab, the service name is on another account, or the token was altered (${text})`
      );
    default:
      return missingKey(request, keytab) ?? `the ticket for ${service} was refused: ${text}`;
  }
}

/** What to say of an authenticator that was accepted before. */
export function describeReplay(request: ApRequestHeader): string {
  return `the client's authenticator for ${describeService(request)} was used before: a replay, or one request verified twice`;
}

/** What to say of an authenticator that may have been accepted before what a process remembers. */
export function describeOldAuthenticator(request: ApRequestHeader): string {
  return (
    `the client's authenticator for ${describeService(request)} is older than what this server remembers (it was started ` +
    'since, or its clock was set back), so that a replay could not be told; set the clocks of both by NTP where that goes on'
  );
}

/** What the keytab lacks for a ticket; undefined where it has the key that the ticket names. */
function missingKey(request: ApRequestHeader, keytab: KeytabListing): string | undefined {
  const { serviceName, realm, encryptionType, keyVersion } = request.ticket;
  const service = describeService(request);
  const type = encryptionTypeName(encryptionType);
  const named = keytab.entries.filter((entry) => sameService(entry, serviceName, realm));
  if (named.length === 0) {
    return (
      `the keytab ${keytab.path} has no key for ${service}, which the client asked a ticket for ` +
      `(it has ${describeKeytabEntries(keytab.entries)}); export a key for that service or correct the name under which clients call this server`
    );
  }
  const ofType = named.filter((entry) => entry.encryptionType === encryptionType);
  if (ofType.length === 0) {
    return `the keytab ${keytab.path} has no ${type} key for ${service} (it has ${describeKeytabEntries(named)}); export it again with that encryption type`;
  }
  if (keyVersion !== undefined && !ofType.some((entry) => entry.keyVersion === keyVersion)) {
    return (
      `the client's ticket for ${service} is under key version (kvno) ${keyVersion}, and the keytab ${keytab.path} has ` +
      `kvno ${[...new Set(ofType.map((entry) => entry.keyVersion))].join(', ')} (${type}); export the keytab again, ` +
      'or have the client fetch a new ticket where its own is from before a change'
    );
  }
  return undefined;
}

function sameService(entry: KeytabEntry, name: string, realm: string): boolean {
  return entry.name.toLowerCase() === name.toLowerCase() && entry.realm.toLowerCase() === realm.toLowerCase();
}
