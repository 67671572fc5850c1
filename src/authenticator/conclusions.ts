/**
 * How a request ends: admitted, refused, or challenged again. Also updates the state of its connection and writes to
 * the log.
 */
import { encodeBase64 } from '../formats/base64.ts';
import { printable } from '../foundation/text.ts';
import { authorizationField } from '../http/authorization.ts';
import { hasTls, hidesCertificate } from '../http/channel-bindings.ts';
import { passedThroughProxy } from '../http/proxy-fields.ts';
import { peerOf } from '../http/exchange.ts';
import type { Exchange } from '../http/exchange.ts';
import { challengeOutcome, refusedOutcome, signedInOutcome, VARIES_BY_CREDENTIALS } from '../http/outcome.ts';
import type { HeaderField, Outcome, StandingOutcome } from '../http/outcome.ts';
import { accountName } from '../identity/identity.ts';
import { SecurityContextInfo } from '../identity/security-context-info.ts';
import * as Sspi from '../sspi/index.ts';
import { admit } from './admission.ts';
import type { Audit, AuditReason, AuditRecord } from './audit.ts';
import { bareChallenges } from './challenge.ts';
import type { ChallengedExchange } from './challenge.ts';
import type { Authenticated, Connection } from './connection.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import type { Settings } from './options.ts';
import type { PendingHandshakes } from './pending-handshakes.ts';
import { requestFacts } from './request-facts.ts';
import { opensBodies, setMessageContext } from './sealed-bodies.ts';
import { currency } from './currency.ts';
import { tooLate } from './deadline.ts';
import { enriched, enrichedAdmission } from './enrichment.ts';
import { setVerifiedUser } from './verified-user.ts';
import type { AcceptedResult, VerificationResult } from './verification.ts';

/** The settings that the acceptor uses. */
export type AcceptorSettings = Pick<
  Settings<never>,
  'accounts' | 'challenges' | 'channelBinding' | 'clock' | 'enrich' | 'limits' | 'nameFormat' | 'persistence'
>;

/** What an adapter says of a request. */
export interface Arrival {
  /** The framework's request. */
  readonly request: unknown;
  /** Gives the request target as sent on the wire. */
  readonly target: () => string;
  /** Whether the request is admitted without credentials. */
  readonly anonymous: boolean;
}

/** A request that is being verified, with the facts that its audit record needs. */
export interface Attempt extends Arrival {
  readonly exchange: Exchange;
  readonly connection: Connection;
  /** Clock.elapsed() at the first leg of its handshake. */
  readonly startedAt: number;
}

/** Why a request is refused: a reason of this library, or the status of a package, with more for the log. */
export type RefusalCause =
  | AuditReason
  | { readonly reason: AuditReason; readonly diagnosis: Sspi.Diagnosis | undefined }
  | {
      readonly status: number;
      readonly diagnosis: Sspi.Diagnosis | undefined;
      readonly token?: Uint8Array | undefined;
    };

export class Conclusions {
  readonly settings: AcceptorSettings;
  readonly pending: PendingHandshakes;
  readonly audit: Audit;
  readonly #schemes: readonly OfferedScheme[];
  #closed = false;
  #toldOfNoBindings = false;

  constructor(settings: AcceptorSettings, schemes: readonly OfferedScheme[], pending: PendingHandshakes, audit: Audit) {
    this.settings = settings;
    this.pending = pending;
    this.audit = audit;
    this.#schemes = schemes;
  }

  /** Tells the operator, once, of TLS connections whose clients cannot be held to channel bindings. */
  warnOfNoBindings(socket: unknown): void {
    if (this.#toldOfNoBindings) return;
    this.#toldOfNoBindings = true;
    if (hidesCertificate(socket)) {
      this.audit.warn(
        'sspi-auth: this runtime does not tell which certificate the server has presented (Bun), so channelBinding ' +
          "'whenSupported' does not notice a sign-in that is relayed from another server. " +
          "Serve TLS with Node.js or Deno, or set channelBinding to 'never'",
      );
      return;
    }
    this.audit.warn(
      'sspi-auth: the certificate of this server has no channel bindings (RFC 5929 knows no hash for Ed25519, Ed448 and SHA-3), so ' +
        "channelBinding 'whenSupported' does not notice a sign-in that is relayed from another server. " +
        "Take a certificate signed with RSA or ECDSA and SHA-2, or set channelBinding to 'never'",
    );
  }

  /** From now on no scheme is offered. */
  close(): void {
    this.#closed = true;
  }

  /**
   * A 401 that does not answer a token. It is the same whatever the cause.
   *
   * @param stale Digest challenges to use instead of fresh ones
   */
  challenge(exchange: ChallengedExchange, stale?: readonly Uint8Array[]): Outcome {
    return challengeOutcome(this.#bareChallenges(exchange, stale));
  }

  /**
   * Continues when the result is there, now or later. If it does not come in time, the client is refused with 401.
   *
   * @param conclude makes the outcome of the result
   */
  whenVerified(
    attempt: Attempt,
    scheme: OfferedScheme,
    verified: VerificationResult | Promise<VerificationResult>,
    conclude: (result: VerificationResult) => Outcome,
  ): Outcome | Promise<Outcome> {
    const { connection, exchange } = attempt;
    let enriching = false;
    const result = this.#enriched(attempt, scheme, verified, () => (enriching = true));
    const refuse = (): Outcome => {
      if (!enriching || this.#closed || exchange.socket.destroyed === true) {
        return refusedOutcome(401, this.#bareChallenges(exchange));
      }
      return this.#notEnriched(attempt, tooLate(this.settings.limits.handshakeMilliseconds));
    };
    const field = result instanceof Promise ? authorizationField(exchange.rawHeaders) : undefined;
    const bytes = typeof field === 'string' ? field.length : 0;
    return this.pending.whenVerified(connection, exchange.socket, result, conclude, refuse, bytes);
  }

  #enriched(
    { request }: Attempt,
    scheme: OfferedScheme,
    result: VerificationResult | Promise<VerificationResult>,
    begun: () => void,
  ): VerificationResult | Promise<VerificationResult> {
    const { enrich, nameFormat } = this.settings;
    if (enrich === undefined) return result;
    const whenThere = (settled: VerificationResult): VerificationResult | Promise<VerificationResult> =>
      enriched(enrich, request, scheme, settled, nameFormat, begun);
    return result instanceof Promise ? result.then(whenThere) : whenThere(result);
  }

  /** The client is right, but the application did not say what it adds to the identity. */
  #notEnriched({ exchange, request, target }: Attempt, error: unknown): Outcome {
    this.audit.failed(error, 'the enrich function', requestFacts(exchange, request, target));
    return refusedOutcome(500);
  }

  /** The context is established: its user is admitted, or refused by policy. */
  accept(attempt: Attempt, scheme: OfferedScheme, result: AcceptedResult): Outcome {
    const { connection, exchange } = attempt;
    const { context, token, expiry } = result;
    const admission = enrichedAdmission(result) ?? admit(scheme, result, this.settings.nameFormat);
    if (admission.type === 'failed') {
      Sspi.deleteSecurityContext(context);
      this.pending.release(connection);
      return this.#notEnriched(attempt, admission.error);
    }
    if (admission.type === 'refused') {
      Sspi.deleteSecurityContext(context);
      if (admission.error !== undefined) this.audit.failed(admission.error, 'reading the account of a context');
      return this.refuse(attempt, 401, admission.reason, scheme);
    }
    const { user, facts } = admission;
    const persists =
      scheme.boundTo === 'connection' &&
      this.settings.persistence === 'connection' &&
      !passedThroughProxy(exchange.rawHeaders);
    const held = Sspi.outlivesHandshake(context) ? context : undefined;
    const encryptedOnly = scheme.innerTls !== undefined && !hasTls(exchange.socket);
    const sspi = new SecurityContextInfo(facts, held);
    const kept = opensBodies(exchange.socket, facts.attributes) ? context : held;
    if (kept !== undefined) setMessageContext(sspi, { handle: kept, scheme: scheme.name });
    if (admission.shown !== undefined) setVerifiedUser(sspi, user);
    const outcome: StandingOutcome = Object.freeze({
      type: 'authenticated',
      user: admission.shown ?? user,
      sspi,
      headers: noFields,
      standing: true,
    });
    this.pending.remove(connection);
    if (scheme.boundTo === 'connection') connection.interruption = undefined;
    if (persists) {
      connection.enter({
        type: 'authenticated',
        outcome,
        context: kept,
        encryptedOnly,
        expiresAt: expiry?.getTime() ?? Infinity,
        endsAt: this.settings.clock.elapsed() + this.settings.limits.identityMilliseconds,
        isCurrent: scheme.isCurrent === undefined ? undefined : currency(this.audit, scheme, user, connection),
      });
    } else if (kept !== undefined) {
      connection.retain(kept);
    } else {
      connection.reset();
    }
    if (kept === undefined) {
      Sspi.deleteSecurityContext(context);
      connection.unwatch();
    } else {
      connection.watch(exchange.socket, () => this.pending.release(connection));
    }
    const perRequest = scheme.boundTo === 'request';
    const account = accountName(user);
    const again = perRequest && connection.lastRequestUser === account;
    if (perRequest) connection.lastRequestUser = account;
    if (this.audit.hasSignInListeners) {
      const record = this.record(attempt, scheme, 'SEC_E_OK');
      this.audit.authenticated({ ...record, package: user.package, account: printable(account) }, again);
    }
    if (perRequest) return { ...outcome, headers: variesByCredentials, standing: false };
    const headers: HeaderField[] = [VARIES_BY_CREDENTIALS, ['Persistent-Auth', persists ? 'true' : 'false']];
    if (token !== undefined && token.byteLength > 0) {
      headers.push(['WWW-Authenticate', `${scheme.name} ${encodeBase64(token)}`]);
    }
    return encryptedOnly ? signedInOutcome(headers) : { ...outcome, headers, standing: false };
  }

  /**
   * Refuses a request. The connection's context and identity are deleted.
   *
   * @param named the scheme, or the name of one that is not offered
   */
  refuse(attempt: Attempt, status: 400 | 401, why: RefusalCause, named?: OfferedScheme | string): Outcome {
    const scheme = typeof named === 'string' ? undefined : named;
    attempt.connection.interrupt('refused');
    this.pending.release(attempt.connection);
    const reason = typeof why === 'string' ? why : 'reason' in why ? why.reason : Sspi.statusName(why.status);
    const diagnosis = typeof why === 'string' ? undefined : why.diagnosis;
    this.audit.refused({
      ...this.record(attempt, scheme, reason, diagnosis?.package),
      ...(typeof named === 'string' ? { scheme: named } : undefined),
      account: diagnosis?.account === undefined ? undefined : printable(diagnosis.account),
      ...this.#diagnosisField(diagnosis),
    });
    const token = typeof why === 'object' && 'token' in why ? why.token : undefined;
    if (scheme?.innerTls !== undefined && token !== undefined && token.byteLength > 0) {
      // Alone: clients of CredSSP find it nowhere else.
      return refusedOutcome(401, [`${scheme.name} ${encodeBase64(token)}`]);
    }
    if (typeof why === 'object' && 'status' in why && isAway(why.status, scheme)) {
      return refusedOutcome(503, [], RETRY_AFTER_SECONDS);
    }
    return refusedOutcome(status, status === 401 ? this.#bareChallenges(attempt.exchange) : []);
  }

  /**
   * Refuses a request without an encrypted body on a connection that admits no others. The sign-in of the connection
   * stays: anybody on the way can send such a request.
   */
  refuseUnencrypted(attempt: Attempt, { outcome }: Authenticated): Outcome {
    const { user, sspi } = outcome;
    this.audit.refused({
      ...this.record(attempt, undefined, 'body-not-encrypted', sspi.package),
      scheme: sspi.scheme,
      account: printable(accountName(user)),
      durationMilliseconds: 0,
    });
    return refusedOutcome(401, this.#bareChallenges(attempt.exchange));
  }

  /**
   * Answers the first token of a handshake that may not begin any more. Its client tries again over another connection,
   * which leads to another process.
   */
  turnAway(attempt: Attempt, scheme: OfferedScheme): Outcome {
    this.audit.refused(this.record(attempt, scheme, 'server-closing'));
    const outcome = refusedOutcome(503, [], 1);
    return { ...outcome, headers: [...outcome.headers, ['Connection', 'close']] };
  }

  /** Refuses a request because of an exception that was not expected. */
  crashed(attempt: Attempt, error: unknown): Outcome {
    this.audit.failed(error, 'verifying a request', requestFacts(attempt.exchange, attempt.request, attempt.target));
    return this.refuse(attempt, 401, 'internal-error');
  }

  /**
   * Makes the audit record of a request.
   *
   * @param chosen the package that ran, if the scheme had a choice
   */
  record(attempt: Attempt, scheme: OfferedScheme | undefined, reason: string, chosen?: string): AuditRecord {
    return {
      scheme: scheme?.name,
      package: chosen ?? onlyPackageOf(scheme),
      account: undefined,
      peer: peerOf(attempt.exchange.socket),
      reason,
      ...requestFacts(attempt.exchange, attempt.request, attempt.target),
      durationMilliseconds: millisecondsSince(attempt.startedAt, this.settings),
    };
  }

  /** The text of a diagnosis, with the message of the exception behind it, which is reported as well. */
  #diagnosisField(diagnosis: Sspi.Diagnosis | undefined): Pick<AuditRecord, 'diagnosis'> {
    const { text, failure } = diagnosis ?? {};
    const thrown = failure === undefined ? undefined : this.audit.failedOnce(failure.error, failure.where);
    const parts = [text, thrown].filter((part) => part !== undefined && part !== '');
    return parts.length === 0 ? {} : { diagnosis: printable(parts.join(': '), 1024) };
  }

  #bareChallenges(exchange: ChallengedExchange, stale?: readonly Uint8Array[]): readonly string[] {
    if (this.#closed) return [];
    return [...bareChallenges(this.#schemes, exchange, stale), ...(this.settings.challenges ?? [])];
  }
}

/** When a client may try again, where an account source could not verify it. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Whether an account source says that it cannot verify anybody at the moment. Windows gives this status for a domain
 * that a client has made up as well, so that of its own packages it says nothing.
 */
function isAway(status: number, scheme: OfferedScheme | undefined): boolean {
  return status === Sspi.SEC_E_NO_AUTHENTICATING_AUTHORITY && scheme !== undefined && scheme.provider !== 'secur32';
}

const noFields: readonly [] = Object.freeze([]);
const variesByCredentials: readonly HeaderField[] = Object.freeze([VARIES_BY_CREDENTIALS]);

/** Milliseconds since `startedAt`, a value of Clock.elapsed(), to three decimal places. */
export function millisecondsSince(startedAt: number, { clock }: Pick<Settings, 'clock'>): number {
  return Math.round((clock.elapsed() - startedAt) * 1000) / 1000;
}

/**
 * The package of a scheme that has only one. Negotiate and CredSSP can choose, so their package is undefined unless only
 * one is allowed.
 */
export function onlyPackageOf(scheme: OfferedScheme | undefined): string | undefined {
  if (scheme?.packages?.length === 1) return scheme.packages[0];
  return scheme?.name === 'Negotiate' || scheme?.name === 'CredSSP' ? undefined : scheme?.name;
}
