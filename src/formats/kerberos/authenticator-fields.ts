/** A decrypted authenticator, whole: RFC 4120 section 5.5.1. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import {
  applicationTag,
  contextTag,
  DER_GENERAL_STRING,
  DER_GENERALIZED_TIME,
  DER_OCTET_STRING,
  DER_SEQUENCE,
  DerReader,
  onlySequence,
} from '../der.ts';
import { encryptionKey } from './enc-ticket-part.ts';
import type { EncryptionKey } from './enc-ticket-part.ts';
import { decodeKerberosTime, LAST_KERBEROS_TIME } from './kerberos-time.ts';
import { decodePrincipalName } from './principal-parts.ts';
import type { PrincipalParts } from './principal-parts.ts';
import { kerberosString } from './principal.ts';

/** Checksum, RFC 4120 section 5.2.9. */
export interface Checksum {
  readonly type: number;
  readonly content: Uint8Array;
}

/** An authenticator. All bytes are views of it. */
export interface AuthenticatorFields {
  readonly client: PrincipalParts;
  readonly checksum: Checksum | undefined;
  /** 0 to 999 999. */
  readonly microseconds: number;
  /** ctime, in milliseconds since 1970-01-01 UTC, whole seconds. */
  readonly time: number;
  readonly subkey: EncryptionKey | undefined;
  /** Unsigned 32 bits; 0 if the authenticator has none. */
  readonly sequenceNumber: number;
  /** The SEQUENCE OF with its header. */
  readonly authorizationData: Uint8Array | undefined;
}

/**
 * Reads a decrypted authenticator.
 *
 * @throws MalformedTokenError if the bytes are not an authenticator of version 5, or are more than one
 */
export function decodeAuthenticatorFields(bytes: Uint8Array): AuthenticatorFields {
  const outer = new DerReader(bytes);
  const fields = onlySequence(outer.enter(applicationTag(2), 'Authenticator'), 'Authenticator');
  outer.expectEnd('Authenticator');
  const version = fields.explicitInteger(contextTag(0), 'authenticator-vno');
  if (version !== 5) throw new MalformedTokenError('authenticator-vno', `${version} is not 5`);
  const realm = fields.explicitContent(contextTag(1), DER_GENERAL_STRING, 'Authenticator.crealm');
  const name = decodePrincipalName(fields.enter(contextTag(2), 'Authenticator.cname'), 'Authenticator.cname');
  const checksum = fields.peek() === contextTag(3) ? readChecksum(fields) : undefined;
  const microseconds = fields.explicitInteger(contextTag(4), 'cusec');
  if (microseconds < 0 || microseconds > 999_999) throw new MalformedTokenError('cusec', 'is not of a second');
  const timeContent = fields.explicitContent(contextTag(5), DER_GENERALIZED_TIME, 'ctime');
  const time = decodeKerberosTime(timeContent, 'ctime', LAST_KERBEROS_TIME);
  const subkeyField = fields.enterOptional(contextTag(6), 'subkey');
  const subkey = subkeyField === undefined ? undefined : encryptionKey(subkeyField, 'subkey');
  // Some implementations write it as a signed number.
  const sequenceNumber =
    fields.peek() === contextTag(7) ? fields.explicitInteger(contextTag(7), 'seq-number') >>> 0 : 0;
  const dataField = fields.enterOptional(contextTag(8), 'authorization-data');
  const authorizationData = dataField?.element(DER_SEQUENCE, 'authorization-data');
  dataField?.expectEnd('authorization-data');
  fields.expectEnd('Authenticator');
  const client = { ...name, realm: kerberosString(realm, 'Authenticator.crealm') };
  return { client, checksum, microseconds, time, subkey, sequenceNumber, authorizationData };
}

function readChecksum(fields: DerReader): Checksum {
  const reader = onlySequence(fields.enter(contextTag(3), 'cksum'), 'cksum');
  const type = reader.explicitInteger(contextTag(0), 'cksumtype');
  const content = reader.explicitContent(contextTag(1), DER_OCTET_STRING, 'checksum');
  reader.expectEnd('cksum');
  return { type, content };
}
