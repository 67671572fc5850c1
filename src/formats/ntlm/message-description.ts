/** Describes any NTLM message for people, such as readers of a page that shows a handshake. Verifies nothing. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { AV_FLAG_CONSTRAINED, AV_FLAG_MIC_PRESENT, AV_FLAG_UNTRUSTED_TARGET } from './av-pairs.ts';
import type { AvPairs } from './av-pairs.ts';
import { dateOfFiletime } from '../filetime.ts';
import { decodeAuthenticateMessage } from './authenticate-message.ts';
import { decodeChallengeMessage } from './challenge-message.ts';
import { NTLM_AUTHENTICATE, NTLM_CHALLENGE, NTLM_NEGOTIATE, openNtlmMessage } from './message-field.ts';
import { ntlmFlagNames } from './negotiate-flags.ts';
import { decodeNegotiateMessage, oemHint } from './negotiate-message.ts';
import type { NtlmVersion } from './version.ts';
import { decodeNtlmV2Response, NTLM_V1_RESPONSE_BYTES } from './ntlmv2-response.ts';

/** An AV_PAIR list for people. Bytes are hexadecimal; absent pairs are left out. */
export interface TargetInfoDescription {
  readonly nbComputerName?: string;
  readonly nbDomainName?: string;
  readonly dnsComputerName?: string;
  readonly dnsDomainName?: string;
  readonly dnsTreeName?: string;
  /** Names of the AV flags. */
  readonly flags?: readonly string[];
  /** ISO 8601. */
  readonly timestamp?: string;
  readonly targetName?: string;
  /** 32 hexadecimal digits, or `none (all zero)`. */
  readonly channelBindings?: string;
}

/**
 * A message for people. Responses and keys are given by kind and size only, because passwords can be guessed from them.
 */
export type NtlmMessageDescription =
  | {
      readonly type: 'NEGOTIATE';
      readonly flags: readonly string[];
      readonly domain?: string;
      readonly workstation?: string;
      readonly version?: string;
    }
  | {
      readonly type: 'CHALLENGE';
      readonly flags: readonly string[];
      readonly targetName: string;
      /** 16 hexadecimal digits. */
      readonly serverChallenge: string;
      readonly targetInfo?: TargetInfoDescription;
      readonly version?: string;
    }
  | {
      readonly type: 'AUTHENTICATE';
      readonly flags: readonly string[];
      readonly userName: string;
      readonly domain: string;
      readonly workstation: string;
      readonly response: 'NTLMv2' | 'NTLMv1' | 'none' | 'malformed';
      readonly responseBytes: number;
      readonly lmResponseBytes: number;
      /** The AV pairs that the client put into its NTLMv2 response. */
      readonly clientInfo?: TargetInfoDescription;
      /** ISO 8601. */
      readonly timestamp?: string;
      /** `micPromised`: the response announces a MIC. `micPresent`: the message has one that is not all zero. */
      readonly micPromised: boolean;
      readonly micPresent: boolean;
      readonly sessionKeyExchanged: boolean;
    };

/**
 * Describes a message.
 *
 * @throws MalformedTokenError if it is not a complete NTLM message
 */
export function describeNtlmMessage(bytes: Uint8Array): NtlmMessageDescription {
  const { messageType } = openNtlmMessage(bytes);
  switch (messageType) {
    case NTLM_NEGOTIATE:
      return describeNegotiate(bytes);
    case NTLM_CHALLENGE:
      return describeChallenge(bytes);
    case NTLM_AUTHENTICATE:
      return describeAuthenticate(bytes);
    default:
      throw new MalformedTokenError('MessageType', `is ${messageType}`, 8);
  }
}

function describeNegotiate(bytes: Uint8Array): NtlmMessageDescription {
  const { flags, domain, workstation, version } = decodeNegotiateMessage(bytes);
  return withoutUndefined({
    type: 'NEGOTIATE' as const,
    flags: ntlmFlagNames(flags),
    domain: domain.byteLength === 0 ? undefined : oemHint(domain),
    workstation: workstation.byteLength === 0 ? undefined : oemHint(workstation),
    version: describeVersion(version),
  });
}

function describeChallenge(bytes: Uint8Array): NtlmMessageDescription {
  const { flags, targetName, serverChallenge, targetInfo, version } = decodeChallengeMessage(bytes);
  return withoutUndefined({
    type: 'CHALLENGE' as const,
    flags: ntlmFlagNames(flags),
    targetName,
    serverChallenge: hex(serverChallenge),
    targetInfo: targetInfo === undefined ? undefined : describePairs(targetInfo),
    version: describeVersion(version),
  });
}

function describeAuthenticate(bytes: Uint8Array): NtlmMessageDescription {
  const message = decodeAuthenticateMessage(bytes);
  const response = describeResponse(message.ntResponse);
  return withoutUndefined({
    type: 'AUTHENTICATE' as const,
    flags: ntlmFlagNames(message.flags),
    userName: message.userName,
    domain: message.domain,
    workstation: message.workstation,
    response: response.kind,
    responseBytes: message.ntResponse.byteLength,
    lmResponseBytes: message.lmResponse.byteLength,
    clientInfo: response.pairs === undefined ? undefined : describePairs(response.pairs),
    timestamp: response.timestamp,
    micPromised: ((response.pairs?.flags ?? 0) & AV_FLAG_MIC_PRESENT) !== 0,
    micPresent: message.mic?.some((byte) => byte !== 0) === true,
    sessionKeyExchanged: message.encryptedRandomSessionKey.byteLength > 0,
  });
}

function describeResponse(bytes: Uint8Array): {
  readonly kind: 'NTLMv2' | 'NTLMv1' | 'none' | 'malformed';
  readonly pairs?: AvPairs;
  readonly timestamp?: string;
} {
  if (bytes.byteLength === 0) return { kind: 'none' };
  if (bytes.byteLength === NTLM_V1_RESPONSE_BYTES) return { kind: 'NTLMv1' };
  try {
    const { avPairs, timestamp } = decodeNtlmV2Response(bytes);
    return { kind: 'NTLMv2', pairs: avPairs, timestamp: describeTime(timestamp) };
  } catch (error) {
    if (error instanceof MalformedTokenError) return { kind: 'malformed' };
    throw error;
  }
}

function describePairs(pairs: AvPairs): TargetInfoDescription {
  const { nbComputerName, nbDomainName, dnsComputerName, dnsDomainName, dnsTreeName, targetName } = pairs;
  const { flags, timestamp, channelBindings } = pairs;
  return withoutUndefined({
    nbDomainName,
    nbComputerName,
    dnsDomainName,
    dnsComputerName,
    dnsTreeName,
    flags: flags === undefined ? undefined : avFlagNames(flags),
    timestamp: timestamp === undefined ? undefined : describeTime(timestamp),
    targetName,
    channelBindings:
      channelBindings === undefined
        ? undefined
        : channelBindings.every((byte) => byte === 0)
          ? 'none (all zero)'
          : hex(channelBindings),
  });
}

const avFlagTable: readonly (readonly [flag: number, name: string])[] = [
  [AV_FLAG_CONSTRAINED, 'constrained authentication'],
  [AV_FLAG_MIC_PRESENT, 'MIC present'],
  [AV_FLAG_UNTRUSTED_TARGET, 'target name untrusted'],
];

function avFlagNames(flags: number): readonly string[] {
  const names = avFlagTable.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
  const rest = avFlagTable.reduce((left, [flag]) => left & ~flag, flags) >>> 0;
  return rest === 0 ? names : [...names, `0x${rest.toString(16)}`];
}

function describeTime(filetime: bigint): string {
  return dateOfFiletime(filetime).toISOString();
}

function describeVersion(version: NtlmVersion | undefined): string | undefined {
  if (version === undefined) return undefined;
  const { major, minor, build, revision } = version;
  return `${major}.${minor}.${build} (NTLM revision ${revision})`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** A value without its undefined fields. */
function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
