/**
 * The acceptor takes a request from its Authorization field to its outcome, with the state of its connection. It
 * handles one request of a connection at a time. The authenticator does the rest: `skip`, `authorize`, and requests on
 * a signed-in connection.
 */
import { authorizationField, parseCredentials, REPEATED } from '../http/authorization.ts';
import type { Credentials } from '../http/authorization.ts';
import type { Exchange } from '../http/exchange.ts';
import { anonymousOutcome, refusedOutcome } from '../http/outcome.ts';
import type { Outcome } from '../http/outcome.ts';
import { passedThroughProxy } from '../http/proxy-fields.ts';
import { recordRequestLines } from '../http/request-line.ts';
import { freeCredentialsHandle } from '../sspi/index.ts';
import type { Audit } from './audit.ts';
import { Conclusions, millisecondsSince, onlyPackageOf } from './conclusions.ts';
import type { AcceptorSettings, Arrival, Attempt } from './conclusions.ts';
import { isOfferedOn } from './challenge.ts';
import type { ChallengedExchange } from './challenge.ts';
import type { Authenticated, Connection } from './connection.ts';
import { acceptDigestRequest } from './digest-request.ts';
import { acceptHandshakeRequest } from './handshake-request.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import { isChosen } from './scheme-choice.ts';
import { hasSealedBody } from './sealed-bodies.ts';
import { PendingHandshakes } from './pending-handshakes.ts';
import type { Abandonment } from './pending-handshakes.ts';

export class Acceptor {
  readonly settings: AcceptorSettings;
  readonly #schemes: ReadonlyMap<string, OfferedScheme>;
  readonly #pending: PendingHandshakes;
  readonly #audit: Audit;
  readonly #conclusions: Conclusions;
  /** Whether a scheme is offered whose credentials cover the request line. */
  readonly #coversRequestLine: boolean;
  #closed = false;
  #draining = false;

  constructor(settings: AcceptorSettings, schemes: readonly OfferedScheme[], audit: Audit) {
    this.settings = settings;
    this.#schemes = new Map(schemes.map((scheme) => [scheme.name.toLowerCase(), scheme]));
    this.#audit = audit;
    this.#coversRequestLine = schemes.some(({ boundTo }) => boundTo === 'request');
    this.#pending = new PendingHandshakes(settings.limits, settings.clock, (why, connection) =>
      this.#abandoned(why, connection),
    );
    this.#conclusions = new Conclusions(settings, schemes, this.#pending, audit);
  }

  /** The schemes offered, in their order. */
  get schemes(): readonly string[] {
    return [...this.#schemes.values()].map(({ name }) => name);
  }

  /** How many handshakes wait for their client's next token. */
  get pendingHandshakes(): number {
    return this.#pending.size;
  }

  /** Abandons every handshake and frees the credentials. From then on every request is refused. */
  close(): void {
    this.#closed = true;
    this.#conclusions.close();
    this.#pending.close();
    for (const { credential } of this.#schemes.values()) freeCredentialsHandle(credential);
  }

  /** From now on no handshake begins. Calls a function when those that are pending have ended, or a time is over. */
  drain(milliseconds: number, ended: () => void): void {
    this.#draining = true;
    this.#pending.whenNone(milliseconds, ended);
  }

  /** A 401 that offers every scheme. */
  challenge(exchange: ChallengedExchange): Outcome {
    return this.#conclusions.challenge(exchange);
  }

  /**
   * Verifies one request, after the requests before it on its connection.
   *
   * @param arrival what the adapter says of the request
   */
  accept(exchange: Exchange, connection: Connection, arrival: Arrival): Outcome | Promise<Outcome> {
    const startedAt = startOf(connection) ?? this.settings.clock.elapsed();
    const attempt: Attempt = { exchange, connection, startedAt, ...arrival };
    if (this.#coversRequestLine) recordRequestLines(exchange.socket);
    const step = (): Outcome | Promise<Outcome> => {
      const crashed = (error: unknown): Outcome => this.#conclusions.crashed(attempt, error);
      try {
        const outcome = this.#verify(attempt);
        return outcome instanceof Promise ? outcome.catch(crashed) : outcome;
      } catch (error) {
        return crashed(error);
      }
    };
    return connection.inTurn(step, exchange);
  }

  #verify(attempt: Attempt): Outcome | Promise<Outcome> {
    const { exchange, connection } = attempt;
    const conclusions = this.#conclusions;
    // While a request waited for its turn, its client may have disconnected: then nothing is verified (attack G10).
    if (exchange.socket.destroyed === true) {
      this.#pending.release(connection);
      return refusedOutcome(401);
    }
    const field = authorizationField(exchange.rawHeaders);
    if (field === undefined) return this.#withoutCredentials(attempt);
    const credentials = field === REPEATED ? undefined : parseCredentials(field);
    const restricted = this.#encryptedOnly(attempt);
    if (restricted !== undefined && !startsCredSsp(this.#schemes, credentials)) {
      return conclusions.refuseUnencrypted(attempt, restricted);
    }
    if (field === REPEATED) return conclusions.refuse(attempt, 400, 'repeated-authorization');
    if (credentials === undefined) return conclusions.refuse(attempt, 400, 'malformed-authorization');
    const scheme = this.#schemes.get(credentials.scheme);
    if (scheme === undefined || this.#closed) {
      return conclusions.refuse(attempt, 401, 'scheme-not-offered', shownScheme(field, credentials));
    }
    if (!isChosen(exchange, scheme.name)) return conclusions.refuse(attempt, 401, 'scheme-not-offered', scheme);
    if (scheme.boundTo === 'request') {
      return acceptDigestRequest(conclusions, attempt, scheme, credentials, attempt.target());
    }
    // Streams of one HTTP/2 connection may belong to different users, so RFC 9113 has no place for these schemes
    // (attack A13).
    if (exchange.httpVersionMajor !== 1 || !isOfferedOn(scheme, exchange.socket)) {
      return conclusions.refuse(attempt, 401, 'scheme-not-offered', scheme);
    }
    if (this.#draining && connection.phase.type !== 'negotiating') return conclusions.turnAway(attempt, scheme);
    return acceptHandshakeRequest(conclusions, attempt, scheme, credentials);
  }

  /**
   * The sign-in of a connection that admits encrypted bodies alone, where the request has none: anybody on the way can
   * add one, with or without credentials of its own.
   */
  #encryptedOnly({ exchange, connection: { phase } }: Attempt): Authenticated | undefined {
    const isRestricted = phase.type === 'authenticated' && phase.encryptedOnly === true && !this.#closed;
    return isRestricted && !hasSealedBody(exchange) ? phase : undefined;
  }

  #withoutCredentials(attempt: Attempt): Outcome {
    const { exchange, connection } = attempt;
    const { phase } = connection;
    const restricted = this.#encryptedOnly(attempt);
    if (restricted !== undefined) return this.#conclusions.refuseUnencrypted(attempt, restricted);
    if (phase.type === 'authenticated' && phase.encryptedOnly === true && !this.#closed) {
      const admitted = connection.standingEncrypted(this.settings.clock);
      if (admitted !== undefined && !passedThroughProxy(exchange.rawHeaders)) return { ...admitted, standing: false };
    }
    // While this request waited for its turn, the one before it may have signed the connection in.
    const standing = this.#closed ? undefined : connection.standing(this.settings.clock);
    // Not `standing`: this client may wait for `100 Continue`, which only writeOutcome sends.
    if (standing !== undefined && !passedThroughProxy(exchange.rawHeaders)) return { ...standing, standing: false };
    connection.interrupt('no-credentials');
    this.#pending.release(connection);
    return attempt.anonymous && !this.#closed ? anonymousOutcome : this.#conclusions.challenge(exchange);
  }

  /** Logs a handshake that was abandoned. */
  #abandoned(why: Abandonment, connection: Connection): void {
    if (why === 'closed') return;
    const { phase, peer } = connection;
    if (why !== 'body') connection.interrupt(why);
    const handshake = phase.type === 'negotiating' ? phase : undefined;
    const scheme = handshake === undefined ? undefined : this.#schemes.get(handshake.scheme);
    this.#audit.refused({
      scheme: scheme?.name,
      package: onlyPackageOf(scheme),
      account: undefined,
      peer,
      reason: abandonmentReasons[why],
      durationMilliseconds:
        handshake === undefined
          ? this.settings.limits.handshakeMilliseconds
          : millisecondsSince(handshake.startedAt, this.settings),
    });
  }
}

/** Whether a request begins a sign-in anew, within TLS of its own. */
function startsCredSsp(schemes: ReadonlyMap<string, OfferedScheme>, credentials: Credentials | undefined): boolean {
  return credentials !== undefined && schemes.get(credentials.scheme)?.innerTls !== undefined;
}

/**
 * The name of a scheme that is not offered, for the log. Not of a field with a single word: that may be a key which
 * somebody sent without a scheme.
 */
function shownScheme(field: string, { parameters }: Credentials): string | undefined {
  const name = /^[A-Za-z][A-Za-z0-9-]{0,23}(?= )/.exec(field.trim())?.[0];
  return parameters === '' ? undefined : name;
}

const abandonmentReasons = {
  deadline: 'handshake-deadline',
  evicted: 'handshake-evicted',
  body: 'body-too-large',
} as const;

/** When the handshake that is pending on a connection began. */
function startOf({ phase }: Connection): number | undefined {
  return phase.type === 'negotiating' ? phase.startedAt : undefined;
}
