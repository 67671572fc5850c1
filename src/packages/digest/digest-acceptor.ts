/** The server side of Digest: makes challenges and verifies credentials. All contexts of a credential share it. */
import type { Account, DigestAccepted, Refused, Unavailable } from '../../accounts/account-source.ts';
import { sourceName } from '../../accounts/account-source.ts';
import { accountProblem, accountToken } from '../../accounts/account-token.ts';
import type { DigestAlgorithm } from '../../crypto/digest-response.ts';
import { errorKind, MalformedTokenError, SspiAuthError } from '../../foundation/errors.ts';
import { formatDigestChallenge } from '../../formats/digest/challenge.ts';
import { claimedUserName, parseDigestCredentials } from '../../formats/digest/credentials.ts';
import type { DigestCredentials } from '../../formats/digest/credentials.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import { ASC_REQ_SEQUENCE_DETECT } from '../../sspi/requirements.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { AcceptCall, Diagnosis } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { isThenable } from '../../foundation/thenable.ts';
import { isShared, serverNames } from './digest-auth-data.ts';
import type { DigestSettings } from './digest-auth-data.ts';
import { realmOf, requestOf, tokenOf } from './digest-request.ts';
import type { DigestRequest } from './digest-request.ts';
import { NonceIssuer } from './nonce-issuer.ts';
import type { IssuedNonce } from './nonce-issuer.ts';
import { NonceUses } from './nonce-uses.ts';
import type { SharedStore } from '../../stores/shared-store.ts';
import { denotesRequestTarget, foreignTarget } from './request-target.ts';

/** Result of one leg. */
export type DigestResult =
  | { readonly result: 'accepted'; readonly token: SecurityContextToken }
  /** To be sent: one challenge for each algorithm. */
  | { readonly result: 'challenge'; readonly output: readonly SecBuffer[] }
  | { readonly result: 'refused'; readonly status: number; readonly diagnosis?: Diagnosis };

/**
 * How many nonces in a row may be of no use to a client before it is refused. Clients answer each `stale=true` at once
 * and without their user, so they would try for ever.
 */
const MAX_RETRIES = 8;

type SourceResult = DigestAccepted | Refused | Unavailable;

/** Credentials that have this server's realm, algorithm and nonce, and are for this request. Not yet verified. */
interface Claim {
  readonly credentials: DigestCredentials;
  /** The reading of `uri` that denotes the request target. The response covers it. */
  readonly uri: string;
  readonly request: DigestRequest;
  readonly realm: string;
  readonly algorithm: DigestAlgorithm;
  readonly nonce: IssuedNonce;
  /** The nonce is too old, or another credential issued it: even a valid response gets a new challenge. */
  readonly stale: boolean;
  /** The count must be higher than all before it (ASC_REQ_SEQUENCE_DETECT). */
  readonly inOrder: boolean;
}

/** A refusal. For the server's log it holds the claimed account and the cause. */
function refusal(
  status: number,
  { userNames }: DigestCredentials,
  text?: string,
  more?: Pick<Diagnosis, 'failure'>,
): DigestResult {
  const account = userNames[0];
  return { result: 'refused', status, diagnosis: { account, ...(text === undefined ? undefined : { text }), ...more } };
}

/** The response is right, but the store does not say whether the count was used before: nobody is let in by that. */
function unknownUse(credentials: DigestCredentials, error: unknown): DigestResult {
  const why = error instanceof SspiAuthError ? error.message.replace(/^sspi-auth: /, '') : errorKind(error);
  const text = `the store does not say whether the nonce was used before: ${why}`;
  return refusal(Status.SEC_E_NO_AUTHENTICATING_AUTHORITY, credentials, text);
}

/** A refusal of credentials that break their grammar. The log has the account as far as it can be read. */
function malformed(token: Uint8Array, { message }: MalformedTokenError): DigestResult {
  const account = claimedUserName(token);
  const diagnosis = {
    ...(account === undefined ? undefined : { account }),
    text: reason('digest-malformed', { detail: message }),
  };
  return { result: 'refused', status: Status.SEC_E_INVALID_TOKEN, diagnosis };
}

export class DigestAcceptor {
  readonly settings: DigestSettings;
  readonly #nonces: NonceIssuer;
  readonly #uses: NonceUses;
  /** The store that knows what other processes have accepted. */
  readonly #store: SharedStore | undefined;

  constructor(settings: DigestSettings) {
    this.settings = settings;
    const { secret, clock, random, store, nonceLifetimeMilliseconds } = settings;
    this.#store = isShared(store) ? store : undefined;
    const scope = this.#store === undefined ? undefined : (this.#store.scope?.() ?? '');
    this.#nonces = new NonceIssuer(secret.copy(), clock, random, scope);
    this.#uses = new NonceUses(this.#store, nonceLifetimeMilliseconds);
  }

  /** How many nonces are remembered with their counts. */
  get rememberedNonces(): number {
    return this.#uses.size;
  }

  /** One leg: an empty token asks for challenges, any other is verified. */
  accept(call: AcceptCall): DigestResult | Promise<DigestResult> {
    const token = tokenOf(call.input);
    let claim: Claim | DigestResult;
    try {
      const realm = realmOf(call.input, this.settings.realm);
      if (token.byteLength === 0) return this.#challenge(realm, false);
      claim = this.#readClaim(parseDigestCredentials(token), requestOf(call.input), realm, call.requirements);
    } catch (error) {
      if (error instanceof MalformedTokenError) return malformed(token, error);
      throw error;
    }
    return 'result' in claim ? claim : this.#verify(claim);
  }

  /** Wipes the key of the nonces. */
  free(): void {
    this.#nonces.wipe();
  }

  #challenge(realm: string, stale: boolean, retries = 0): DigestResult {
    const nonce = this.#nonces.issue(realm, retries);
    const output = this.settings.algorithms.map((algorithm) => {
      const text = formatDigestChallenge({ realm, nonce, algorithm, qualitiesOfProtection: ['auth'], stale });
      return { type: SECBUFFER_TOKEN, data: Uint8Array.from(Buffer.from(text, 'utf8')) };
    });
    return { result: 'challenge', output };
  }

  /** Makes every check that needs no account source. */
  #readClaim(
    credentials: DigestCredentials,
    request: DigestRequest,
    realm: string,
    requirements: number,
  ): Claim | DigestResult {
    const uri = credentials.uris.find((reading) => denotesRequestTarget(reading, request.requestTarget));
    if (uri === undefined) {
      const text = foreignTarget(credentials.uris[0], request.requestTarget);
      return refusal(Status.SEC_E_INVALID_TOKEN, credentials, text);
    }
    const algorithm = this.settings.algorithms.find((name) => name === credentials.algorithm.toUpperCase());
    if (
      // What was not offered is not verified: userhash, auth-int, -sess, opaque, another realm (attacks E05, E06, E12,
      // E15).
      algorithm === undefined ||
      !credentials.realms.includes(realm) ||
      credentials.qualityOfProtection !== 'auth' ||
      credentials.userHash ||
      credentials.opaque !== undefined
    ) {
      return refusal(Status.SEC_E_LOGON_DENIED, credentials, reason('digest-not-offered'));
    }
    const nonce = this.#nonces.examine(credentials.nonce, realm);
    if (nonce === undefined) return refusal(Status.SEC_E_LOGON_DENIED, credentials, reason('digest-foreign-nonce'));
    const stale = !nonce.own || nonce.early || this.#isTooOld(nonce);
    const inOrder = (requirements & ASC_REQ_SEQUENCE_DETECT) !== 0;
    return { credentials, uri, request, realm, algorithm, nonce, stale, inOrder };
  }

  /** Its life is over, or a store that does not outlive its processes was made later: it cannot know all uses. */
  #isTooOld({ issuedAt }: IssuedNonce): boolean {
    const now = this.#nonces.time();
    return now - issuedAt >= Math.min(this.settings.nonceLifetimeMilliseconds, this.#store?.age?.() ?? Infinity);
  }

  /** Asks the account source. If a user name can be read in two ways and the first is refused, the second is tried. */
  #verify(claim: Claim): DigestResult | Promise<DigestResult> {
    const [userName, other] = claim.credentials.userNames;
    const conclude = (result: SourceResult): DigestResult | Promise<DigestResult> => this.#conclude(claim, result);
    const where = sourceName(this.settings.accounts);
    const failed = (error: unknown): DigestResult => {
      const text = reason('account-source-failed', { source: where, detail: errorKind(error) });
      return refusal(Status.SEC_E_INTERNAL_ERROR, claim.credentials, text, { failure: { where, error } });
    };
    try {
      const result = this.#ask(claim, userName);
      if (isThenable(result)) {
        const second = (first: SourceResult): SourceResult | PromiseLike<SourceResult> =>
          other !== undefined && isRefused(first) ? this.#ask(claim, other) : first;
        return Promise.resolve(result).then(second).then(conclude).catch(failed);
      }
      if (other === undefined || !isRefused(result)) return conclude(result);
      const last = this.#ask(claim, other);
      return isThenable(last) ? Promise.resolve(last).then(conclude).catch(failed) : conclude(last);
    } catch (error) {
      return failed(error);
    }
  }

  #ask(claim: Claim, userName: string): SourceResult | PromiseLike<SourceResult> {
    const { credentials, uri, request, realm, algorithm } = claim;
    return this.settings.accounts.verifyDigest({
      userName,
      realm,
      algorithm,
      method: request.method,
      uri,
      nonce: credentials.nonce,
      nonceCount: credentials.nonceCount,
      clientNonce: credentials.clientNonce,
      qualityOfProtection: 'auth',
      response: credentials.response,
      ...serverNames(this.settings),
    });
  }

  #conclude(claim: Claim, result: SourceResult): DigestResult | Promise<DigestResult> {
    if (result?.result === 'unavailable') {
      // A reason that is not a string may hold anything, so it is not logged.
      const why: unknown = result.reason;
      const text = typeof why === 'string' ? reason('account-source-away', { detail: why }) : undefined;
      return refusal(Status.SEC_E_NO_AUTHENTICATING_AUTHORITY, claim.credentials, text);
    }
    // A source may be plain JavaScript: `accepted` without an account is a refusal.
    if (result?.result !== 'accepted' || !isAccount(result.account)) {
      const why: unknown = result?.result === 'refused' ? result.reason : undefined;
      const text = typeof why === 'string' ? reason('account-source-refused', { detail: why }) : undefined;
      return refusal(Status.SEC_E_LOGON_DENIED, claim.credentials, text);
    }
    const { credentials, nonce, stale, inOrder } = claim;
    let token: SecurityContextToken;
    try {
      token = accountToken(result.account, this.settings.domain);
    } catch (error) {
      const problem = accountProblem(error);
      if (problem === undefined) throw error;
      return refusal(Status.SEC_E_INTERNAL_ERROR, credentials, reason('account-invalid', { detail: problem }));
    }
    const count = Number.parseInt(credentials.nonceCount, 16);
    // The response is right, so the client may learn that only its nonce cannot be used (RFC 7616 section 3.3).
    const end = (isUnused: boolean): DigestResult =>
      isUnused ? { result: 'accepted', token } : this.#challengeAgain(claim, count);
    if (stale) return end(false);
    const away = (error: unknown): DigestResult => unknownUse(credentials, error);
    try {
      const isUnused = this.#uses.use(credentials.nonce, nonce.issuedAt, count, inOrder);
      return typeof isUnused === 'boolean' ? end(isUnused) : isUnused.then(end, away);
    } catch (error) {
      return away(error);
    }
  }

  /** Gives a client whose response was right a new nonce, unless it only goes round in circles. */
  #challengeAgain({ credentials, nonce, realm, stale }: Claim, count: number): DigestResult {
    // A nonce with a higher count, or one whose counts are remembered, was of use before.
    const wasOfUse = count > 1 || this.#uses.has(credentials.nonce);
    const retries = wasOfUse ? 1 : nonce.retries + 1;
    if (retries <= MAX_RETRIES) return this.#challenge(realm, true, retries);
    const why = !nonce.own
      ? 'digest-other-process'
      : nonce.early
        ? 'digest-server-ahead'
        : stale
          ? 'digest-nonce-too-old'
          : 'digest-nonce-used';
    return refusal(Status.SEC_E_LOGON_DENIED, credentials, reason(why, { count: MAX_RETRIES }));
  }
}

function isRefused(result: SourceResult): boolean {
  return result?.result !== 'accepted' && result?.result !== 'unavailable';
}

function isAccount(account: Account | undefined): account is Account {
  return typeof account?.userName === 'string' && account.userName !== '';
}
