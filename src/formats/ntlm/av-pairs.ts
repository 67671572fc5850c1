/**
 * AV_PAIR lists, MS-NLMP section 2.2.2.1: the TargetInfo of a challenge and the end of an NTLMv2 response. Id and
 * length are two bytes each, little-endian. Text is always UTF-16LE, even if the message uses another character set.
 * MsvAvEOL ends the list.
 */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { Reader } from '../reader.ts';
import { decodeUtf16le, encodeUtf16le } from '../utf16.ts';

export const MSV_AV_EOL = 0;
export const MSV_AV_NB_COMPUTER_NAME = 1;
export const MSV_AV_NB_DOMAIN_NAME = 2;
export const MSV_AV_DNS_COMPUTER_NAME = 3;
export const MSV_AV_DNS_DOMAIN_NAME = 4;
export const MSV_AV_DNS_TREE_NAME = 5;
export const MSV_AV_FLAGS = 6;
export const MSV_AV_TIMESTAMP = 7;
export const MSV_AV_SINGLE_HOST = 8;
export const MSV_AV_TARGET_NAME = 9;
export const MSV_AV_CHANNEL_BINDINGS = 10;

/** MsvAvFlags: the account authentication is constrained. */
export const AV_FLAG_CONSTRAINED = 0x1;
/** MsvAvFlags: the AUTHENTICATE_MESSAGE carries a MIC. */
export const AV_FLAG_MIC_PRESENT = 0x2;
/** MsvAvFlags: MsvAvTargetName comes from an untrusted source. */
export const AV_FLAG_UNTRUSTED_TARGET = 0x4;

/** A list may have at most this many pairs. No list needs more, and a longer one only costs time (attack C07). */
const MAX_PAIRS = 64;

/** The values of an AV_PAIR list. Absent pairs are undefined. For channel bindings, that differs from sixteen zeros. */
export interface AvPairs {
  readonly nbComputerName?: string;
  readonly nbDomainName?: string;
  readonly dnsComputerName?: string;
  readonly dnsDomainName?: string;
  readonly dnsTreeName?: string;
  /** AV_FLAG_* bits. */
  readonly flags?: number;
  /** FILETIME. */
  readonly timestamp?: bigint;
  /** Single_Host_Data, section 2.2.2.2, undecoded. */
  readonly singleHost?: Uint8Array;
  /** Service principal name of the server that the client wants. */
  readonly targetName?: string;
  /** MD5 over the channel bindings, 16 bytes. */
  readonly channelBindings?: Uint8Array;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Reads a list up to MsvAvEOL. Bytes after it (padding) are ignored, and unknown ids are skipped.
 *
 * @throws MalformedTokenError if a pair reaches outside the list, MsvAvEOL is missing or has a value, a pair has the
 *   wrong length, an id occurs twice, or there are too many pairs
 */
export function decodeAvPairs(bytes: Uint8Array): AvPairs {
  const reader = new Reader(bytes);
  const pairs: Mutable<AvPairs> = {};
  let seen = 0;
  for (let count = 0; count < MAX_PAIRS; count++) {
    const at = reader.offset;
    const id = reader.u16le('AvId');
    const value = reader.take(reader.u16le('AvLen'), 'AV_PAIR Value');
    if (id === MSV_AV_EOL) {
      if (value.byteLength !== 0) throw new MalformedTokenError('MsvAvEOL', 'has a value', at);
      return pairs;
    }
    if (id > MSV_AV_CHANNEL_BINDINGS) continue;
    if ((seen & (1 << id)) !== 0) throw new MalformedTokenError('AV_PAIR', `AvId ${id} occurs twice`, at);
    seen |= 1 << id;
    assign(pairs, id, value, at);
  }
  throw new MalformedTokenError('AV_PAIR', `more than ${MAX_PAIRS} pairs`, reader.offset);
}

function assign(pairs: Mutable<AvPairs>, id: number, value: Uint8Array, at: number): void {
  switch (id) {
    case MSV_AV_NB_COMPUTER_NAME:
      pairs.nbComputerName = decodeUtf16le(value, 'MsvAvNbComputerName');
      break;
    case MSV_AV_NB_DOMAIN_NAME:
      pairs.nbDomainName = decodeUtf16le(value, 'MsvAvNbDomainName');
      break;
    case MSV_AV_DNS_COMPUTER_NAME:
      pairs.dnsComputerName = decodeUtf16le(value, 'MsvAvDnsComputerName');
      break;
    case MSV_AV_DNS_DOMAIN_NAME:
      pairs.dnsDomainName = decodeUtf16le(value, 'MsvAvDnsDomainName');
      break;
    case MSV_AV_DNS_TREE_NAME:
      pairs.dnsTreeName = decodeUtf16le(value, 'MsvAvDnsTreeName');
      break;
    case MSV_AV_FLAGS:
      pairs.flags = exactly(value, 4, 'MsvAvFlags', at).u32le('MsvAvFlags');
      break;
    case MSV_AV_TIMESTAMP:
      pairs.timestamp = exactly(value, 8, 'MsvAvTimestamp', at).u64le('MsvAvTimestamp');
      break;
    case MSV_AV_SINGLE_HOST:
      pairs.singleHost = value;
      break;
    case MSV_AV_TARGET_NAME:
      pairs.targetName = decodeUtf16le(value, 'MsvAvTargetName');
      break;
    case MSV_AV_CHANNEL_BINDINGS:
      pairs.channelBindings = exactly(value, 16, 'MsvAvChannelBindings', at).take(16, 'MsvAvChannelBindings');
      break;
  }
}

function exactly(value: Uint8Array, length: number, field: string, at: number): Reader {
  if (value.byteLength !== length) {
    throw new MalformedTokenError(field, `has ${value.byteLength} bytes, not ${length}`, at);
  }
  return new Reader(value);
}

/** The pairs a server may put into TargetInfo. */
export interface TargetInfo {
  readonly nbDomainName: string;
  readonly nbComputerName: string;
  readonly dnsDomainName?: string | undefined;
  readonly dnsComputerName?: string | undefined;
  /** FILETIME. */
  readonly timestamp: bigint;
}

/** TargetInfo of a CHALLENGE_MESSAGE, in the order in which Windows lists the pairs. */
export function encodeTargetInfo(info: TargetInfo): Uint8Array {
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, info.timestamp, true);
  const pairs: [id: number, value: Uint8Array][] = [
    [MSV_AV_NB_DOMAIN_NAME, encodeUtf16le(info.nbDomainName)],
    [MSV_AV_NB_COMPUTER_NAME, encodeUtf16le(info.nbComputerName)],
  ];
  if (info.dnsDomainName !== undefined) pairs.push([MSV_AV_DNS_DOMAIN_NAME, encodeUtf16le(info.dnsDomainName)]);
  if (info.dnsComputerName !== undefined) pairs.push([MSV_AV_DNS_COMPUTER_NAME, encodeUtf16le(info.dnsComputerName)]);
  pairs.push([MSV_AV_TIMESTAMP, time], [MSV_AV_EOL, new Uint8Array(0)]);

  const bytes = new Uint8Array(pairs.reduce((sum, [, value]) => sum + 4 + value.byteLength, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [id, value] of pairs) {
    view.setUint16(at, id, true);
    view.setUint16(at + 2, value.byteLength, true);
    bytes.set(value, at + 4);
    at += 4 + value.byteLength;
  }
  return bytes;
}
