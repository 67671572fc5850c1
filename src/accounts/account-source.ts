/**
 * Account sources: who verifies a response. A package (NTLM, Digest) parses and checks its protocol; whether the response
 * proves the account is the source's result, so that a password never has to leave the one who knows it (a file of
 * hashes, a domain controller).
 *
 * Fail closed: what is not an `accepted` result of the shape below is a refusal; an exception or a rejected promise is
 * SEC_E_INTERNAL_ERROR. Sources take the same time for an unknown account as for a wrong response (attack G01), and
 * never accept an account without a stored secret (attack C23).
 */
import type { DigestAlgorithm } from '../crypto/digest-response.ts';
import { OptionError } from '../foundation/errors.ts';
import { shown } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import type { Group } from '../sspi/security-context-token.ts';

/** The account a source accepted, as the source spells it, whatever the client wrote. */
export interface Account {
  readonly userName: string;
  /** NetBIOS domain of the account; undefined: the domain the server itself was given. */
  readonly domain?: string | undefined;
  readonly userPrincipalName?: string | undefined;
  readonly displayName?: string | undefined;
  readonly sid?: string | undefined;
  readonly groups?: readonly Group[] | undefined;
}

/** No: wrong response, unknown or disabled account. Why is nobody's business. */
export interface Refused {
  readonly result: 'refused';
}

/** Nobody could be asked: the file is unreadable, the domain controller away. Never a yes. */
export interface Unavailable {
  readonly result: 'unavailable';
  /** For the log of the server; without secrets. */
  readonly reason: string;
}

/** An NTLM response to be verified, MS-NLMP 3.3.2 and 3.2.5.1.2. */
export interface NtlmLogon {
  /** UserName of the AUTHENTICATE_MESSAGE, decoded. */
  readonly userName: string;
  /** DomainName of the AUTHENTICATE_MESSAGE, decoded; its case counts in NTOWFv2. */
  readonly domain: string;
  /** Workstation of the AUTHENTICATE_MESSAGE, decoded. */
  readonly workstation: string;
  /** NetBIOS domain and computer name that this server's challenge named. */
  readonly serverDomain: string;
  readonly serverName: string;
  /** Eight bytes. */
  readonly serverChallenge: Uint8Array;
  /** NTLMv2_RESPONSE as received: NTProofStr (16 bytes) and NTLMv2_CLIENT_CHALLENGE. */
  readonly ntResponse: Uint8Array;
}

/** Yes, with the key that only someone who knows the account's hash can compute. */
export interface NtlmAccepted {
  readonly result: 'accepted';
  readonly account: Account;
  /** SessionBaseKey, 16 bytes: HMAC_MD5(NTOWFv2, NTProofStr). */
  readonly sessionBaseKey: Uint8Array;
}

/** A Digest response to be verified, RFC 7616 section 3.4.1. */
export interface DigestLogon {
  /** As the client sent it: it goes into A1 unchanged. May be `DOMAIN\user`. */
  readonly userName: string;
  /** The server's realm, never the client's word. */
  readonly realm: string;
  readonly algorithm: DigestAlgorithm;
  /** Method of the request as on the wire. */
  readonly method: string;
  /** `uri` of the credentials, already compared with the request target. */
  readonly uri: string;
  readonly nonce: string;
  /** Eight hexadecimal digits as sent. */
  readonly nonceCount: string;
  readonly clientNonce: string;
  readonly qualityOfProtection: 'auth';
  /** Hexadecimal digits as sent, not yet checked. */
  readonly response: string;
  /** NetBIOS domain of the server, for an account without one. */
  readonly serverDomain: string;
}

export interface DigestAccepted {
  readonly result: 'accepted';
  readonly account: Account;
}

/** One place that knows accounts. A method it lacks is a scheme it cannot verify. */
export interface AccountSource {
  /** For messages to the operator, such as `memoryAccounts (2 accounts)`. */
  readonly description: string;
  verifyNtlm?(logon: NtlmLogon): NtlmAccepted | Refused | Unavailable | Promise<NtlmAccepted | Refused | Unavailable>;
  verifyDigest?(
    logon: DigestLogon,
  ): DigestAccepted | Refused | Unavailable | Promise<DigestAccepted | Refused | Unavailable>;
  /** Releases files and helpers; called once. */
  close?(): void | Promise<void>;
}

type VerifyFunction = 'verifyNtlm' | 'verifyDigest';

const verifyFunctions: readonly VerifyFunction[] = ['verifyNtlm', 'verifyDigest'];

/** Reads an option that is an account source: it verifies one scheme at least, and has nothing else in the place of a function. */
export const accountSource: Reader<AccountSource> = (value, option) => {
  const source = (value ?? {}) as Partial<Record<VerifyFunction, unknown>>;
  const given = verifyFunctions.filter((name) => source[name] !== undefined);
  if (given.length === 0 || !given.every((name) => typeof source[name] === 'function')) {
    const cure = "Give an account source: memoryAccounts([{ userName: 'alice', password }]) or smbpasswdFile(path).";
    throw new OptionError(option, shown(value), cure);
  }
  return value as AccountSource;
};

/** The same, of a source that can verify one scheme. */
export function accountSourceFor<F extends VerifyFunction>(
  name: F,
): Reader<AccountSource & Required<Pick<AccountSource, F>>, AccountSource> {
  const scheme = name === 'verifyNtlm' ? 'NTLM' : 'Digest';
  return (value, option) => {
    const source = accountSource(value, option);
    if (source[name] === undefined) {
      const problem = `is ${source.description}, which cannot verify ${scheme}`;
      throw new OptionError(option, problem, `Give an account source with ${name}.`);
    }
    return source as AccountSource & Required<Pick<AccountSource, F>>;
  };
}
