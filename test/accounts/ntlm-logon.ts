/** Logons as the NTLM package hands them to an account source, right or wrong. */
import type { NtlmLogon } from '../../src/accounts/account-source.ts';
import { ntowfv1, ntowfv2, ntProofString } from '../../src/crypto/ntlm-keys.ts';

/** Who tries to sign in, and with what. */
export interface Trial {
  readonly userName: string;
  readonly domain?: string;
  readonly password?: string;
  readonly ntHash?: Uint8Array;
  /** Domain in the computation, where it is not the one that is sent. */
  readonly hashedDomain?: string;
}

const clientChallenge = Buffer.concat([Buffer.from([1, 1]), Buffer.alloc(42)]);
const serverChallenge = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

/** The logon of a trial at the computer WEB of the domain CORP, corp.example. */
export function logon({ userName, domain = '', password = '', ntHash, hashedDomain }: Trial): NtlmLogon {
  const key = ntowfv2(ntHash ?? ntowfv1(password), userName, hashedDomain ?? domain);
  const proof = ntProofString(key, serverChallenge, clientChallenge);
  return {
    ...{ userName, domain, workstation: 'CLIENT', serverChallenge },
    ...{ serverDomain: 'CORP', serverName: 'WEB', serverDnsDomain: 'corp.example' },
    ntResponse: Buffer.concat([proof, clientChallenge]),
  };
}
