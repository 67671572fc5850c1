/**
 * The acceptor: from the Authorization field of a request to its outcome, through the state of its connection. One request
 * of a connection at a time; what goes on around it (skip, authorize, the signed-in request) is the authenticator's.
 */
import { admit } from './admission.ts';
import type { Audit, AuditReason, AuditRecord } from './audit.ts';
import { encodeBase64 } from '../formats/base64.ts';
import { beginsHandshake } from '../formats/initial-token.ts';
import {
  authorizationField,
  parseCredentials,
  parseToken,
  passedThroughProxy,
  REPEATED,
} from '../http/authorization.ts';
import type { Credentials } from '../http/authorization.ts';
import { bareChallenges } from './challenge.ts';
import { channelBindingsOf } from '../http/channel-bindings.ts';
import type { Connection } from './connection.ts';
import { peerOf } from '../http/exchange.ts';
import type { Exchange } from '../http/exchange.ts';
import { discard, verifyDigestFields, verifyToken } from './verification.ts';
import type { VerificationResult } from './verification.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import { anonymousOutcome, challengeOutcome, refusedOutcome } from '../http/outcome.ts';
import type { HeaderField, Outcome, StandingOutcome } from '../http/outcome.ts';
import { PendingHandshakes } from './pending-handshakes.ts';
import { announcesBody } from '../http/request-body.ts';
import type { Settings } from './options.ts';
import { SecurityContextInfo } from '../identity/security-context-info.ts';
import * as Sspi from '../sspi/index.ts';
import { printable } from '../foundation/text.ts';

/** What of the settings the acceptor goes by. */
export type AcceptorSettings = Pick<Settings, 'anonymous' | 'channelBinding' | 'clock' | 'limits' | 'persistence'>;

/** A request under verification, with what its audit lines need. */
interface Attempt {
  readonly exchange: Exchange;
  readonly connection: Connection;
  /** Clock.elapsed() at the first leg of its handshake. */
  readonly startedAt: number;
}

export class Acceptor {
  readonly settings: AcceptorSettings;
  readonly #schemes: ReadonlyMap<string, OfferedScheme>;
  readonly #pending: PendingHandshakes;
  readonly #audit: Audit;
  #closed = false;

  constructor(settings: AcceptorSettings, schemes: readonly OfferedScheme[], audit: Audit) {
    this.settings = settings;
    this.#schemes = new Map(schemes.map((scheme) => [scheme.name.toLowerCase(), scheme]));
    this.#audit = audit;
    this.#pending = new PendingHandshakes(settings.limits, settings.clock, (why, { phase, peer }) => {
      if (why === 'closed') return;
      const begun = phase.type === 'negotiating' ? phase : undefined;
      const reason: AuditReason = why === 'deadline' ? 'handshake-deadline' : 'handshake-evicted';
      const scheme = begun === undefined ? undefined : this.#schemes.get(begun.scheme);
      this.#audit.refused({
        scheme: scheme?.name,
        package: onlyPackageOf(scheme),
        account: undefined,
        peer,
        reason,
        durationMilliseconds:
          begun === undefined ? settings.limits.handshakeMilliseconds : this.#since(begun.startedAt),
      });
    });
  }

  /** The schemes offered, in their order. */
  get schemes(): readonly string[] {
    return [...this.#schemes.values()].map(({ name }) => name);
  }

  /** How many handshakes wait for their client. */
  get pendingHandshakes(): number {
    return this.#pending.size;
  }

  /** Gives up every handshake and frees the credentials. Nobody is let in any more. */
  close(): void {
    this.#closed = true;
    this.#pending.close();
    for (const { credential } of this.#schemes.values()) Sspi.freeCredentialsHandle(credential);
  }

  /** A 401 that offers every scheme. */
  challenge({ httpVersionMajor }: Pick<Exchange, 'httpVersionMajor'>): Outcome {
    return challengeOutcome(this.#bareChallenges({ httpVersionMajor }));
  }

  /**
   * Verifies one request when those before it on its connection have been verified.
   *
   * @param target gives the request target as on the wire
   */
  accept(exchange: Exchange, connection: Connection, target: () => string): Outcome | Promise<Outcome> {
    const attempt: Attempt = { exchange, connection, startedAt: startOf(connection) ?? this.settings.clock.elapsed() };
    return connection.inTurn(() => {
      try {
        const outcome = this.#verify(attempt, target);
        return outcome instanceof Promise ? outcome.catch((error: unknown) => this.#crashed(attempt, error)) : outcome;
      } catch (error) {
        return this.#crashed(attempt, error);
      }
    });
  }

  #verify(attempt: Attempt, target: () => string): Outcome | Promise<Outcome> {
    const { exchange, connection } = attempt;
    // Requests that waited for one before them may have lost their client: nobody is asked for them (attack G10).
    if (exchange.socket.destroyed === true) {
      this.#pending.release(connection);
      return refusedOutcome(401);
    }
    const field = authorizationField(exchange.rawHeaders);
    if (field === undefined) return this.#withoutCredentials(attempt);
    if (field === REPEATED) return this.#refuse(attempt, 400, 'repeated-authorization');
    const credentials = parseCredentials(field);
    if (credentials === undefined) return this.#refuse(attempt, 400, 'malformed-authorization');
    const scheme = this.#schemes.get(credentials.scheme);
    if (scheme === undefined || this.#closed) return this.#refuse(attempt, 401, 'scheme-not-offered');
    if (scheme.boundTo === 'request') {
      this.#pending.release(connection);
      const result = verifyDigestFields(scheme, credentials.parameters, exchange.method ?? '', target());
      return this.#whenVerified(attempt, result, (settled) => this.#concludeRequest(attempt, scheme, settled));
    }
    // Streams of one HTTP/2 connection may be of different users: RFC 9113 has no place for these schemes (attack A13).
    if (exchange.httpVersionMajor !== 1) return this.#refuse(attempt, 401, 'scheme-not-offered', scheme);
    return this.#leg(attempt, scheme, credentials);
  }

  #withoutCredentials(attempt: Attempt): Outcome {
    const { exchange, connection } = attempt;
    // A request that waited its turn may find the connection authenticated by the one before it.
    const standing = this.#closed ? undefined : connection.standing(this.settings.clock);
    if (standing !== undefined && !passedThroughProxy(exchange.rawHeaders)) return standing;
    this.#pending.release(connection);
    return this.settings.anonymous && !this.#closed
      ? anonymousOutcome
      : challengeOutcome(this.#bareChallenges(exchange));
  }

  #leg(attempt: Attempt, scheme: OfferedScheme, credentials: Credentials): Outcome | Promise<Outcome> {
    const { exchange, connection } = attempt;
    const parsed = parseToken(credentials.parameters, this.settings.limits.tokenBytes);
    switch (parsed.type) {
      case 'empty':
      case 'malformed':
        return this.#refuse(attempt, 401, 'malformed-authorization', scheme);
      case 'tooLarge':
        return this.#refuse(attempt, 401, 'token-too-large', scheme);
      case 'list':
        return this.#refuse(attempt, 400, 'malformed-authorization', scheme);
      case 'token':
        break;
    }
    const { phase } = connection;
    const pending =
      phase.type === 'negotiating' && phase.scheme === credentials.scheme && !beginsHandshake(parsed.token)
        ? phase
        : undefined;
    // A new first token ends what was before it, identity included, before it is verified (attack C04).
    if (pending === undefined) this.#pending.release(connection);
    const leg: Attempt = pending === undefined ? { ...attempt, startedAt: this.settings.clock.elapsed() } : attempt;
    const mode = this.settings.channelBinding;
    const bindings = mode === 'never' ? undefined : channelBindingsOf(exchange.socket);
    const result = verifyToken(scheme, pending?.context, parsed.token, { mode, bindings });
    return this.#whenVerified(leg, result, (settled) => this.#concludeLeg(leg, scheme, credentials.scheme, settled));
  }

  #whenVerified(
    { connection, exchange }: Attempt,
    result: VerificationResult | Promise<VerificationResult>,
    conclude: (result: VerificationResult) => Outcome,
  ): Outcome | Promise<Outcome> {
    const no = (): Outcome => refusedOutcome(401, this.#bareChallenges(exchange));
    return this.#pending.whenVerified(connection, exchange.socket, result, conclude, no);
  }

  #concludeLeg(attempt: Attempt, scheme: OfferedScheme, key: string, result: VerificationResult): Outcome {
    const { connection, exchange } = attempt;
    if (exchange.socket.destroyed === true) {
      discard(result);
      this.#pending.release(connection);
      return refusedOutcome(401);
    }
    switch (result.type) {
      case 'refused':
        return this.#refuse(attempt, 401, result, scheme);
      case 'continue': {
        const { context, tokens } = result;
        connection.enter({ type: 'negotiating', scheme: key, context, startedAt: attempt.startedAt });
        // A listener of 'end' on a request without a body is nothing to wait for, and makes Node's emitters slower for all.
        this.#pending.add(connection, exchange.socket, announcesBody(exchange.rawHeaders) ? exchange : undefined);
        if (this.#audit.hearsHandshakes) {
          this.#audit.handshake(this.#record(attempt, scheme, 'SEC_I_CONTINUE_NEEDED'));
        }
        const challenges = tokens.slice(0, 1).map((token) => `${scheme.name} ${encodeBase64(token)}`);
        return challengeOutcome(challenges, true);
      }
      case 'accepted':
        return this.#accept(attempt, scheme, result);
    }
  }

  #concludeRequest(attempt: Attempt, scheme: OfferedScheme, result: VerificationResult): Outcome {
    const { connection, exchange } = attempt;
    this.#pending.remove(connection);
    connection.unwatch();
    switch (result.type) {
      case 'refused':
        return this.#refuse(attempt, result.status === Sspi.SEC_E_INVALID_TOKEN ? 400 : 401, result, scheme);
      case 'continue': {
        // The response was right but its nonce too old: the client tries again without asking its user.
        Sspi.deleteSecurityContext(result.context);
        return challengeOutcome(this.#bareChallenges(exchange, result.tokens));
      }
      case 'accepted':
        return this.#accept(attempt, scheme, result);
    }
  }

  #accept(attempt: Attempt, scheme: OfferedScheme, result: Extract<VerificationResult, { type: 'accepted' }>): Outcome {
    const { connection, exchange } = attempt;
    const { context, token, expiry } = result;
    const admission = admit(scheme, result);
    if (admission.type === 'refused') {
      Sspi.deleteSecurityContext(context);
      if (admission.error !== undefined) this.#audit.failed(admission.error, 'reading the account of a context');
      return this.#refuse(attempt, 401, admission.reason, scheme);
    }
    const { user, facts } = admission;
    const persists =
      scheme.boundTo === 'connection' &&
      this.settings.persistence === 'connection' &&
      !passedThroughProxy(exchange.rawHeaders);
    const kept = Sspi.outlivesHandshake(context) ? context : undefined;
    const sspi = new SecurityContextInfo(facts, kept);
    const outcome: StandingOutcome = Object.freeze({ type: 'authenticated', user, sspi, headers: noFields });
    this.#pending.remove(connection);
    if (persists) {
      connection.enter({ type: 'authenticated', outcome, context: kept, expiresAt: expiry?.getTime() ?? Infinity });
    } else if (kept !== undefined) {
      connection.retain(kept);
    } else {
      connection.reset();
    }
    if (kept === undefined) {
      Sspi.deleteSecurityContext(context);
      connection.unwatch();
    } else {
      connection.watch(exchange.socket, () => this.#pending.release(connection));
    }
    const perRequest = scheme.boundTo === 'request';
    const again = perRequest && connection.lastRequestUser === user.name;
    if (perRequest) connection.lastRequestUser = user.name;
    if (this.#audit.hearsSignIns) {
      const record = this.#record(attempt, scheme, 'SEC_E_OK');
      this.#audit.authenticated({ ...record, package: user.package, account: printable(user.name) }, again);
    }
    if (perRequest) return outcome;
    const headers: HeaderField[] = [['Persistent-Auth', persists ? 'true' : 'false']];
    if (token !== undefined && token.byteLength > 0) {
      headers.push(['WWW-Authenticate', `${scheme.name} ${encodeBase64(token)}`]);
    }
    return { ...outcome, headers };
  }

  #refuse(
    attempt: Attempt,
    status: 400 | 401,
    why: AuditReason | { readonly status: number; readonly diagnosis: Sspi.Diagnosis | undefined },
    scheme?: OfferedScheme,
  ): Outcome {
    this.#pending.release(attempt.connection);
    const reason = typeof why === 'string' ? why : Sspi.statusName(why.status);
    const diagnosis = typeof why === 'string' ? undefined : why.diagnosis;
    this.#audit.refused({
      ...this.#record(attempt, scheme, reason, diagnosis?.package),
      account: diagnosis?.account === undefined ? undefined : printable(diagnosis.account),
      ...(diagnosis?.text === undefined ? undefined : { diagnosis: printable(diagnosis.text, 1024) }),
    });
    return refusedOutcome(status, status === 401 ? this.#bareChallenges(attempt.exchange) : []);
  }

  /** Something that cannot happen did: nobody gets in. */
  #crashed(attempt: Attempt, error: unknown): Outcome {
    this.#audit.failed(error, 'verifying a request');
    return this.#refuse(attempt, 401, 'internal-error');
  }

  #bareChallenges(
    { httpVersionMajor }: Pick<Exchange, 'httpVersionMajor'>,
    stale?: readonly Uint8Array[],
  ): readonly string[] {
    return this.#closed ? [] : bareChallenges(this.#schemes.values(), httpVersionMajor, stale);
  }

  /** @param chosen the package that ran, where the scheme had a choice */
  #record(attempt: Attempt, scheme: OfferedScheme | undefined, reason: string, chosen?: string): AuditRecord {
    return {
      scheme: scheme?.name,
      package: chosen ?? onlyPackageOf(scheme),
      account: undefined,
      peer: peerOf(attempt.exchange.socket),
      reason,
      durationMilliseconds: this.#since(attempt.startedAt),
    };
  }

  /** Milliseconds since a Clock.elapsed(), to three places. */
  #since(startedAt: number): number {
    return Math.round((this.settings.clock.elapsed() - startedAt) * 1000) / 1000;
  }
}

const noFields: readonly [] = Object.freeze([]);

/** When the handshake that is pending on a connection began. */
function startOf({ phase }: Connection): number | undefined {
  return phase.type === 'negotiating' ? phase.startedAt : undefined;
}

/** The package of a scheme that has one: its own name, but for Negotiate, which chooses. */
function onlyPackageOf(scheme: OfferedScheme | undefined): string | undefined {
  if (scheme?.packages?.length === 1) return scheme.packages[0];
  return scheme?.name === 'Negotiate' ? undefined : scheme?.name;
}
