/**
 * A small NTLM client for tests: makes NEGOTIATE and AUTHENTICATE messages with whatever faults a test asks for. It is
 * no proof that the acceptor is right (winpr.live.test.ts and the recorded handshakes are); it makes hostile input.
 */
import { createHash, createHmac } from 'node:crypto';
import { ntowfv1 } from '../../../src/crypto/ntlm-keys.ts';
import { rc4 } from '../../../src/crypto/rc4.ts';
import { decodeChallengeMessage } from '../../../src/formats/ntlm/challenge-message.ts';

export const hmac = (key: Uint8Array, ...parts: Uint8Array[]): Uint8Array => {
  const made = createHmac('md5', key);
  for (const part of parts) made.update(part);
  return Uint8Array.from(made.digest());
};
export const md5 = (...parts: Uint8Array[]): Uint8Array =>
  Uint8Array.from(createHash('md5').update(Buffer.concat(parts)).digest());

/** Flags of a Windows client: Unicode, sign, seal, ESS, 128, key exchange. */
export const WINDOWS_FLAGS = 0x60088235;
/** Flags of curl: OEM, NTLM, ESS, always sign. */
export const CURL_FLAGS = 0x00088206;

/** A NEGOTIATE_MESSAGE of 32 bytes, as curl and Chromium send it. */
export function negotiateMessage(flags: number): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set(Buffer.from('NTLMSSP\0\x01\0\0\0', 'latin1'));
  new DataView(bytes.buffer).setUint32(12, flags, true);
  return bytes;
}

/** One AV_PAIR: id and value. */
export type Pair = readonly [id: number, value: Uint8Array];
export const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};
export const utf16 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf16le'));

export function encodePairs(pairs: readonly Pair[]): Uint8Array {
  const parts = pairs.flatMap(([id, value]) => [
    Uint8Array.of(id & 0xff, id >> 8, value.length & 0xff, value.length >> 8),
    value,
  ]);
  return Uint8Array.from(Buffer.concat(parts));
}

export interface ClientOptions {
  readonly userName: string;
  readonly domain?: string;
  readonly password?: string;
  readonly ntHash?: Uint8Array;
  readonly workstation?: string;
  /** Domain that goes into the computation, where it is not the one that is sent. */
  readonly hashedDomain?: string;
  /** User name in the computation, in upper case already. */
  readonly hashedUser?: string;
  /** Flags sent in the message; default: those of the challenge. */
  readonly flags?: number;
  readonly timestamp?: bigint;
  readonly mic?: boolean;
  /** Session key to exchange; only with KEY_EXCH in the flags. */
  readonly randomSessionKey?: Uint8Array;
  /** EncryptedRandomSessionKey as it is sent, in place of the right one. */
  readonly encryptedKey?: Uint8Array;
  /** Further AV pairs, after those of the challenge and the flags. */
  readonly pairs?: readonly Pair[];
  /** The whole AV list, in place of the right one. */
  readonly avBytes?: Uint8Array;
  readonly ntResponse?: Uint8Array;
  readonly lmResponse?: Uint8Array;
  /** Bytes after the payload. */
  readonly trailing?: Uint8Array;
  /** Header without the slot for the MIC: 64 or 72 bytes. */
  readonly headerBytes?: 64 | 72 | 88;
}

/** What a client knows after its last leg. */
export interface ClientResult {
  readonly message: Uint8Array;
  readonly exportedSessionKey: Uint8Array;
  readonly flags: number;
}

/** Answers a challenge. */
export function authenticateMessage(
  negotiate: Uint8Array,
  challenge: Uint8Array,
  options: ClientOptions,
): ClientResult {
  const { userName, domain = '', workstation = 'CLIENT' } = options;
  const decoded = decodeChallengeMessage(challenge);
  const flags = (options.flags ?? decoded.flags) >>> 0;
  const unicode = (flags & 1) !== 0;
  const text = (value: string): Uint8Array => (unicode ? utf16(value) : Uint8Array.from(Buffer.from(value, 'latin1')));

  const info = decoded.targetInfo ?? {};
  const mic = options.mic ?? false;
  const pairs: Pair[] = [];
  if (info.nbDomainName !== undefined) pairs.push([2, utf16(info.nbDomainName)]);
  if (info.nbComputerName !== undefined) pairs.push([1, utf16(info.nbComputerName)]);
  if (mic) pairs.push([6, u32(2)]);
  pairs.push(...(options.pairs ?? []), [0, new Uint8Array(0)]);
  const av = options.avBytes ?? encodePairs(pairs);
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, options.timestamp ?? info.timestamp ?? 0n, true);
  const temp = Buffer.concat([
    Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0),
    time,
    Buffer.alloc(8, 0xaa),
    new Uint8Array(4),
    av,
    new Uint8Array(4),
  ]);
  const hash = options.ntHash ?? ntowfv1(options.password ?? '');
  const key = hmac(hash, utf16((options.hashedUser ?? userName.toUpperCase()) + (options.hashedDomain ?? domain)));
  const proof = hmac(key, decoded.serverChallenge, temp);
  const sessionBaseKey = hmac(key, proof);
  const ntResponse = options.ntResponse ?? Uint8Array.from(Buffer.concat([proof, temp]));

  const exchanges = (flags & 0x40000000) !== 0 && (flags & 0x30) !== 0;
  const exportedSessionKey = exchanges ? (options.randomSessionKey ?? new Uint8Array(16).fill(0x55)) : sessionBaseKey;
  const encrypted = options.encryptedKey ?? (exchanges ? rc4(sessionBaseKey, exportedSessionKey) : new Uint8Array(0));

  const header = options.headerBytes ?? 88;
  const fields = [
    options.lmResponse ?? new Uint8Array(24),
    ntResponse,
    text(domain),
    text(userName),
    text(workstation),
    encrypted,
  ];
  const message = Buffer.concat([new Uint8Array(header), ...fields, options.trailing ?? new Uint8Array(0)]);
  message.set(Buffer.from('NTLMSSP\0\x03\0\0\0', 'latin1'));
  let offset = header;
  for (const [index, field] of fields.entries()) {
    message.writeUInt16LE(field.length, 12 + 8 * index);
    message.writeUInt16LE(field.length, 14 + 8 * index);
    message.writeUInt32LE(offset, 16 + 8 * index);
    offset += field.length;
  }
  message.writeUInt32LE(flags, 60);
  if (mic && header === 88) message.set(hmac(exportedSessionKey, negotiate, challenge, message), 72);
  return { message: Uint8Array.from(message), exportedSessionKey, flags };
}
