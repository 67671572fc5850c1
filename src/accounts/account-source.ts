/**
 * Account sources verify responses. A package (NTLM, Digest) parses its messages and checks the rules of its protocol.
 * The source then decides whether the response proves the account. So a password or hash never has to leave the place
 * that knows it, such as a file of hashes or a domain controller.
 *
 * Fail closed: everything except an `accepted` result of the shape below is a refusal; an exception or a rejected
 * promise is SEC_E_INTERNAL_ERROR. A source must take the same time for an unknown account as for a wrong response
 * (attack G01), and must never accept an account without a stored secret (attack C23).
 */
import type { DigestAlgorithm } from '../crypto/digest-response.ts';
import { OptionError } from '../foundation/errors.ts';
import { shown } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import type { Group } from '../sspi/security-context-token.ts';

/** The account that a source accepted. Names are spelled as the source has them, not as the client sent them. */
export interface Account {
  readonly userName: string;
  /** NetBIOS domain of the account; undefined: the server's own domain. */
  readonly domain?: string | undefined;
  readonly userPrincipalName?: string | undefined;
  readonly displayName?: string | undefined;
  readonly sid?: string | undefined;
  readonly groups?: readonly Group[] | undefined;
}

/** Wrong response, unknown account or disabled account. Which of them it was is not told to the client. */
export interface Refused {
  readonly result: 'refused';
  /** For the log of the server, such as `wrong password`. Must not hold a secret. */
  readonly reason?: string | undefined;
}

/**
 * The source cannot verify now: its file is unreadable, its domain controller does not answer. The client is refused.
 */
export interface Unavailable {
  readonly result: 'unavailable';
  /** For the log of the server. Must not hold a secret. */
  readonly reason: string;
}

/** The names of a server, by which its clients may mean its own accounts. */
export interface ServerNames {
  /** NetBIOS domain of the server; its computer name if it stands alone. The domain of accounts without one. */
  readonly serverDomain: string;
  /** NetBIOS name of the server. */
  readonly serverName: string;
  /** DNS name of the domain, if it is known. */
  readonly serverDnsDomain?: string | undefined;
}

/** An NTLM response to verify, MS-NLMP sections 3.3.2 and 3.2.5.1.2. */
export interface NtlmLogon extends ServerNames {
  /**
   * UserName of the AUTHENTICATE_MESSAGE, decoded. May be `DOMAIN\user` or `user@domain` with an empty domain: NTOWFv2
   * covers both as they are.
   */
  readonly userName: string;
  /** DomainName of the AUTHENTICATE_MESSAGE, decoded. Case-sensitive in NTOWFv2. */
  readonly domain: string;
  /** Workstation of the AUTHENTICATE_MESSAGE, decoded. */
  readonly workstation: string;
  /** Eight bytes. */
  readonly serverChallenge: Uint8Array;
  /** NTLMv2_RESPONSE as received: NTProofStr (16 bytes) and NTLMv2_CLIENT_CHALLENGE. */
  readonly ntResponse: Uint8Array;
}

/** An accepted NTLM response, with the key that can be computed only with the account's hash. */
export interface NtlmAccepted {
  readonly result: 'accepted';
  readonly account: Account;
  /** SessionBaseKey, 16 bytes: HMAC_MD5(NTOWFv2, NTProofStr). */
  readonly sessionBaseKey: Uint8Array;
}

/** A Digest response to verify, RFC 7616 section 3.4.1. */
export interface DigestLogon extends ServerNames {
  /** As the client sent it: it goes into A1 unchanged. May be `DOMAIN\user` or `user@domain`. */
  readonly userName: string;
  /** The server's realm, not the one that the client sent. */
  readonly realm: string;
  readonly algorithm: DigestAlgorithm;
  /** Method of the request, as on the wire. */
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
}

/** An accepted Digest response. */
export interface DigestAccepted {
  readonly result: 'accepted';
  readonly account: Account;
}

/**
 * Knows accounts and verifies responses for them. A source leaves out the function of a scheme that it cannot verify.
 */
export interface AccountSource {
  /** For messages to the operator, such as `memoryAccounts (2 accounts)`. */
  readonly description: string;
  /**
   * Called at start with the names of the server, once for each credential that will ask the source. Refuses names at
   * which two accounts of the source would be one: `alice` and `CORP\alice` at a server of the domain CORP.
   *
   * @throws OptionError that names the account
   */
  checkServerNames?(names: ServerNames): void;
  verifyNtlm?(logon: NtlmLogon): NtlmAccepted | Refused | Unavailable | Promise<NtlmAccepted | Refused | Unavailable>;
  verifyDigest?(
    logon: DigestLogon,
  ): DigestAccepted | Refused | Unavailable | Promise<DigestAccepted | Refused | Unavailable>;
  /**
   * Whether an account that this source accepted may still be signed in. Asked with the next request of a connection that
   * NTLM signed in, at most once a second for each connection, and so it must return at once. Anything but `true`, and an
   * exception, ends the sign-in. Left out: a sign-in lasts as long as its connection, up to
   * `limits.identityMilliseconds`.
   *
   * @param account names and SID as the source gave them, with the server's domain where it gave none
   */
  isCurrent?(account: Account): boolean;
  /**
   * Called at start by each authenticator that uses the source, with a function that takes warnings for its log. Left
   * out: the source has none, or tells them elsewhere.
   */
  sendWarningsTo?(receiver: (message: string) => void): void;
  /** Releases files, connections and processes. Called when the last authenticator that uses the source is closed. */
  close?(): void | Promise<void>;
}

type VerifyFunction = 'verifyNtlm' | 'verifyDigest';
type OptionalFunction = 'checkServerNames' | 'isCurrent' | 'sendWarningsTo' | 'close';

const verifyFunctions: readonly VerifyFunction[] = ['verifyNtlm', 'verifyDigest'];
const optionalFunctions: readonly OptionalFunction[] = ['checkServerNames', 'isCurrent', 'sendWarningsTo', 'close'];

/** Reads an option that is an account source: it must have at least one verify function, and no method of another type. */
export const accountSource: Reader<AccountSource> = (value, option) => {
  const source = (value ?? {}) as Partial<Record<VerifyFunction | OptionalFunction, unknown>>;
  const given = verifyFunctions.filter((name) => source[name] !== undefined);
  if (given.length === 0 || !given.every((name) => typeof source[name] === 'function')) {
    const cure = "Give an account source: memoryAccounts([{ userName: 'alice', password }]) or smbpasswdFile(path).";
    throw new OptionError(option, shown(value), cure);
  }
  for (const name of optionalFunctions) {
    if (source[name] !== undefined && typeof source[name] !== 'function') {
      throw new OptionError(`${option}.${name}`, shown(source[name]), 'Give a function, or leave it out.');
    }
  }
  return value as AccountSource;
};

/**
 * Makes a reader of an option that is an account source for one scheme.
 *
 * @param name the verify function that the source must have
 */
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

/**
 * What a source is called in the log. A source may be plain JavaScript without a description.
 *
 * @returns such as `the account source memoryAccounts (2 accounts)`
 */
export function sourceName({ description }: { readonly description?: unknown }): string {
  return typeof description === 'string' && description !== ''
    ? `the account source ${description}`
    : 'the account source';
}
