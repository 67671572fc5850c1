/** Verifies an NTLMv2 response with the account's hash, MS-NLMP section 3.2.5.1.2. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { ntowfv2, ntProofString, sessionBaseKey } from '../crypto/ntlm-keys.ts';
import { NT_PROOF_BYTES } from '../formats/ntlm/ntlmv2-response.ts';
import type { NtlmAccepted, NtlmLogon, Refused } from './account-source.ts';
import type { StoredAccount } from './account-table.ts';
import { refusalOf } from './refusals.ts';

/** Used for an account that does not exist or has no hash. It is random: no password leads to it. */
const dummyHash: Uint8Array = randomBytes(16);

/**
 * Verifies the response of a client for one account.
 *
 * The same hashes are computed for an account that does not exist or has no hash as for a wrong password (attack G01).
 * A response that does not verify with the domain that the client named is verified again with an empty domain: the
 * section prescribes this for clients that leave the domain out of their computation.
 *
 * @param stored undefined: no such account
 */
export function verifyNtlmResponse(stored: StoredAccount | undefined, logon: NtlmLogon): NtlmAccepted | Refused {
  const { userName, domain, serverChallenge, ntResponse } = logon;
  const refused = refusalOf(stored, stored?.ntHash);
  if (ntResponse.byteLength <= NT_PROOF_BYTES) return refused;
  const ntHash = stored?.ntHash ?? dummyHash;
  const proof = ntResponse.subarray(0, NT_PROOF_BYTES);
  const clientChallengeMessage = ntResponse.subarray(NT_PROOF_BYTES);
  for (const userDomain of domain === '' ? [''] : [domain, '']) {
    const responseKey = ntowfv2(ntHash, userName, userDomain);
    try {
      if (!timingSafeEqual(ntProofString(responseKey, serverChallenge, clientChallengeMessage), proof)) continue;
      if (stored?.ntHash === undefined) return refused;
      return { result: 'accepted', account: stored.account, sessionBaseKey: sessionBaseKey(responseKey, proof) };
    } finally {
      responseKey.fill(0);
    }
  }
  return refused;
}
