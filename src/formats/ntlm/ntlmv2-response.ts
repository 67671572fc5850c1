/** NTLMv2_RESPONSE, MS-NLMP sections 2.2.2.7 and 2.2.2.8. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { decodeAvPairs } from './av-pairs.ts';
import type { AvPairs } from './av-pairs.ts';
import { Reader } from '../reader.ts';

/** Length of an NTLMv1 response in bytes, section 2.2.2.6. Only the length tells the two versions apart. */
export const NTLM_V1_RESPONSE_BYTES = 24;
/** Size in bytes of NTProofStr. */
export const NT_PROOF_BYTES = 16;

export interface NtlmV2Response {
  /** NTProofStr, 16 bytes. */
  readonly proof: Uint8Array;
  /** NTLMv2_CLIENT_CHALLENGE as received: the bytes NTProofStr is computed over. */
  readonly clientChallengeMessage: Uint8Array;
  /** FILETIME: the client's time, or the server's time that the challenge carried. */
  readonly timestamp: bigint;
  /** Eight bytes. */
  readonly clientChallenge: Uint8Array;
  readonly avPairs: AvPairs;
}

/** @throws MalformedTokenError if it is not a complete NTLMv2 response (attack C08) */
export function decodeNtlmV2Response(bytes: Uint8Array): NtlmV2Response {
  const reader = new Reader(bytes);
  const proof = reader.take(NT_PROOF_BYTES, 'NTProofStr');
  const clientChallengeMessage = bytes.subarray(NT_PROOF_BYTES);
  if (reader.u8('RespType') !== 1) throw new MalformedTokenError('RespType', 'is not 1', NT_PROOF_BYTES);
  if (reader.u8('HiRespType') !== 1) throw new MalformedTokenError('HiRespType', 'is not 1', NT_PROOF_BYTES + 1);
  reader.skip(6, 'Reserved');
  const timestamp = reader.u64le('TimeStamp');
  const clientChallenge = reader.take(8, 'ChallengeFromClient');
  reader.skip(4, 'Reserved3');
  const avPairs = decodeAvPairs(reader.take(reader.remaining, 'AvPairs'));
  return { proof, clientChallengeMessage, timestamp, clientChallenge, avPairs };
}
