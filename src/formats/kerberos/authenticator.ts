/** The parts that are needed of an AP-REQ's decrypted authenticator (RFC 4120 section 5.5.1). */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { applicationTag, contextTag, DER_OCTET_STRING, DER_SEQUENCE, DerReader } from '../der.ts';
import { decodeAuthenticatorTime } from './kerberos-token.ts';

/** The parts of an authenticator that are read. */
export interface Authenticator {
  /** The client's time, in milliseconds since 1970-01-01 UTC, with microseconds as a fraction. */
  readonly time: number;
  /** Authorization data that the client itself added. */
  readonly authorizationData: Uint8Array | undefined;
}

/**
 * Reads a decrypted authenticator.
 *
 * @throws MalformedTokenError if the bytes are not an authenticator
 */
export function decodeAuthenticator(bytes: Uint8Array): Authenticator {
  const seconds = decodeAuthenticatorTime(bytes);
  const reader = new DerReader(bytes).enter(applicationTag(2), 'Authenticator').enter(DER_SEQUENCE, 'Authenticator');
  for (const tag of [0, 1, 2]) reader.element(contextTag(tag), 'Authenticator');
  reader.enterOptional(contextTag(3), 'Authenticator.cksum');
  const microseconds = reader.explicitInteger(contextTag(4), 'Authenticator.cusec');
  if (!(microseconds >= 0 && microseconds <= 999_999)) {
    throw new MalformedTokenError('Authenticator.cusec', 'is not of a second');
  }
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
/** How deep AD-IF-RELEVANT may be nested. Clients put the options into one. */
const MAX_DEPTH = 4;

/**
 * Whether a client declares that it knows channel bindings (KERB_AP_OPTIONS_CBT, MS-KILE section 3.4.5). Such a client
 * sends bindings over every TLS connection. If none arrive, somebody stands between the client and this server. Data
 * that cannot be read may contain the declaration, so the result is then true.
 *
 * @param authorizationData from an authenticator
 * @param depth how many AD-IF-RELEVANT lie around it
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
