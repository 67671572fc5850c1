/**
 * Keys of Kerberos and what they do, by encryption type: RFC 3962 (17, 18), RFC 8009 (19, 20) and RFC 4757 (23).
 * Camellia (25, 26) and DES are not here: Node has no Camellia of that kind, and DES is broken.
 */

/** Key usages, RFC 4120 section 7.5.1, RFC 4121 section 2, MS-PAC section 2.8. */
export const KEY_USAGE_TICKET = 2;
export const KEY_USAGE_AP_REQ_CHECKSUM = 10;
export const KEY_USAGE_AUTHENTICATOR = 11;
export const KEY_USAGE_AP_REP = 12;
export const KEY_USAGE_KRB_CRED = 14;
export const KEY_USAGE_PAC = 17;
export const KEY_USAGE_ACCEPTOR_SEAL = 22;
export const KEY_USAGE_ACCEPTOR_SIGN = 23;
export const KEY_USAGE_INITIATOR_SEAL = 24;
export const KEY_USAGE_INITIATOR_SIGN = 25;

/** What is the same for all keys of an encryption type. */
export interface EncryptionProfile {
  readonly encryptionType: number;
  readonly keyBytes: number;
  /** Bytes in front of the plain text that nobody can predict. */
  readonly confounderBytes: number;
  /** The keyed checksum that belongs to the type (sumtype, RFC 3961 section 4). */
  readonly checksumType: number;
  readonly checksumBytes: number;
}

const profiles: ReadonlyMap<number, EncryptionProfile> = new Map(
  [
    { encryptionType: 17, keyBytes: 16, confounderBytes: 16, checksumType: 15, checksumBytes: 12 },
    { encryptionType: 18, keyBytes: 32, confounderBytes: 16, checksumType: 16, checksumBytes: 12 },
    { encryptionType: 19, keyBytes: 16, confounderBytes: 16, checksumType: 19, checksumBytes: 16 },
    { encryptionType: 20, keyBytes: 32, confounderBytes: 16, checksumType: 20, checksumBytes: 24 },
    { encryptionType: 23, keyBytes: 16, confounderBytes: 8, checksumType: -138, checksumBytes: 16 },
  ].map((profile) => [profile.encryptionType, Object.freeze(profile)]),
);

/** What an encryption type needs; undefined if it is not supported here. */
export function encryptionProfile(encryptionType: number): EncryptionProfile | undefined {
  return profiles.get(encryptionType);
}

/** A key. What is derived from it for a usage is kept until it is wiped. */
export interface KerberosKey {
  readonly encryptionType: number;
  /** The key itself: a view, not a copy. Zero after `wipe`. */
  readonly value: Uint8Array;
  /**
   * Encrypts for a key usage.
   *
   * @param confounder as many random bytes as the profile says
   */
  encrypt(usage: number, plain: Uint8Array, confounder: Uint8Array): Buffer;
  /**
   * Verifies and decrypts for a key usage. The time does not tell which byte of the checksum is wrong.
   *
   * @param room where the plain text may be written, behind its confounder, if it is large enough: memory that is used
   *   again and again. The caller wipes what it gets before it lends the room again
   * @returns the plain text; undefined if it was altered, is too short, or is under another key
   */
  decrypt(usage: number, sealed: Uint8Array, room?: Uint8Array): Buffer | undefined;
  /** The keyed checksum of the type over parts that follow each other. */
  checksum(usage: number, ...data: readonly Uint8Array[]): Buffer;
  /** Wipes what it keeps for the next message besides itself: derived keys and cipher objects. That makes them anew. */
  rest(): void;
  /** Wipes the key and all that is derived from it. Afterwards its functions throw RangeError. */
  wipe(): void;
}

/** The room for a plain text that was lent, if it is large enough; else new memory. Not zero. */
export function plainRoom(room: Uint8Array | undefined, bytes: number): Buffer {
  if (room === undefined || room.byteLength < bytes) return Buffer.allocUnsafe(bytes);
  return Buffer.from(room.buffer, room.byteOffset, bytes);
}
