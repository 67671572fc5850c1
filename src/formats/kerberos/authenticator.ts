/** The decrypted authenticator of an AP-REQ (RFC 4120 section 5.5.1), as far as it is looked at. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { applicationTag, contextTag, DER_OCTET_STRING, DER_SEQUENCE, DerReader } from '../der.ts';
import { decodeAuthenticatorTime } from './kerberos-token.ts';

/** What is read of an authenticator. */
export interface Authenticator {
  /** The client's time, in milliseconds since 1970-01-01 UTC, with microseconds as a fraction. */
  readonly time: number;
  /** Authorization data that the client itself added. */
  readonly authorizationData: Uint8Array | undefined;
}

/**
 * Reads a decrypted authenticator.
 *
 * @throws MalformedTokenError where it is none
 */
export function decodeAuthenticator(bytes: Uint8Array): Authenticator {
  const seconds = decodeAuthenticatorTime(bytes);
  const reader = new DerReader(bytes).enter(applicationTag(2), 'Authenticator').enter(DER_SEQUENCE, 'Authenticator');
  for (const tag of [0, 1, 2]) reader.element(contextTag(tag), 'Authenticator');
  reader.enterOptional(contextTag(3), 'Authenticator.cksum');
  const microseconds = reader.explicitInteger(contextTag(4), 'Authenticator.cusec');
  reader.element(contextTag(5), 'Authenticator.ctime');
  for (const tag of [6, 7]) reader.enterOptional(contextTag(tag), 'Authenticator');
  const authorizationData =
    reader.remaining === 0 ? undefined : reader.content(contextTag(8), 'Authenticator.authorization-data');
  return { time: seconds + microseconds / 1000, authorizationData };
}

/** AD-IF-RELEVANT, RFC 4120 section 7.5.4. */
const AD_IF_RELEVANT = 1;
/** AD-AUTH-DATA-AP-OPTIONS, MS-KILE section 2.2.5: 32 bits, little-endian. */
const AD_AUTH_DATA_AP_OPTIONS = 143;
/** KERB_AP_OPTIONS_CBT (0x4000) in the second byte. */
const CBT_IN_SECOND_BYTE = 0x40;
/** Clients put the options into one AD-IF-RELEVANT. */
const MAX_DEPTH = 4;

/**
 * Whether a client says that it knows channel bindings (KERB_AP_OPTIONS_CBT, MS-KILE section 3.4.5): it then sends them
 * over each TLS connection, and whoever lets it send none stands between. What cannot be read may say so: true.
 *
 * @param authorizationData of an authenticator
 */
export function knowsChannelBindings(authorizationData: Uint8Array | undefined, depth = 0): boolean {
  if (authorizationData === undefined) return false;
  if (depth > MAX_DEPTH) return true;
  try {
    const list = new DerReader(authorizationData).enter(DER_SEQUENCE, 'AuthorizationData');
    while (list.remaining > 0) {
      const entry = list.enter(DER_SEQUENCE, 'AuthorizationData');
      const type = entry.explicitInteger(contextTag(0), 'ad-type');
      const data = entry.explicitContent(contextTag(1), DER_OCTET_STRING, 'ad-data');
      if (type === AD_IF_RELEVANT && knowsChannelBindings(data, depth + 1)) return true;
      if (type === AD_AUTH_DATA_AP_OPTIONS && ((data[1] ?? CBT_IN_SECOND_BYTE) & CBT_IN_SECOND_BYTE) !== 0) return true;
    }
    return false;
  } catch (error) {
    if (error instanceof MalformedTokenError) return true;
    throw error;
  }
}
