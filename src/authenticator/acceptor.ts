/**
 * The acceptor takes a request from its Authorization field to its outcome, with the state of its connection. It
 * handles one request of a connection at a time. The authenticator does the rest: `skip`, `authorize`, and requests on
 * a signed-in connection.
 */
import { sourceName } from '../accounts/account-source.ts';
import { authorizationField, parseCredentials, REPEATED, writtenScheme } from '../http/authorization.ts';
import type { Credentials } from '../http/authorization.ts';
import { hasConnection } from '../http/exchange.ts';
import type { Exchange } from '../http/exchange.ts';
import { anonymousOutcome, refusedOutcome } from '../http/outcome.ts';
import type { Outcome } from '../http/outcome.ts';
import { passedThroughProxy } from '../http/proxy-fields.ts';
import { recordRequestLines } from '../http/request-line.ts';
import { printable } from '../foundation/text.ts';
import { reason } from '../identity/reasons/reason.ts';
import { freeCredentialsHandle } from '../sspi/index.ts';
import type { Audit } from './audit.ts';
import { Conclusions, millisecondsSince, onlyPackageOf } from './conclusions.ts';
import type { AcceptorSettings, Arrival, Attempt, RefusalCause } from './conclusions.ts';
import { isOfferedOn, schemesFor } from './challenge.ts';
import type { ChallengedExchange } from './challenge.ts';
import type { Authenticated, Connection } from './connection.ts';
import { acceptDigestRequest } from './digest-request.ts';
import { acceptHandshakeRequest } from './handshake-request.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import { isChosen } from './scheme-choice.ts';
import { hasSealedBody } from './sealed-bodies.ts';
import { PendingHandshakes } from './pending-handshakes.ts';
import type { Abandonment } from './pending-handshakes.ts';
import { ServerAdvice } from './server-advice.ts';
import { silenceOf } from './silent-verification.ts';
import type { Silence } from './silent-verification.ts';
import { UnansweredChallenges } from './unanswered/unanswered-challenges.ts';

export class Acceptor {
  readonly settings: AcceptorSettings;
  readonly #schemes: ReadonlyMap<string, OfferedScheme>;
  readonly #pending: PendingHandshakes;
  readonly #audit: Audit;
  readonly #conclusions: Conclusions;
  readonly #unanswered: UnansweredChallenges;
  readonly #advice: ServerAdvice;
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
    this.#advice = new ServerAdvice(schemes, settings.persistence, audit);
    this.#unanswered = new UnansweredChallenges(schemes, settings.clock, settings.limits.handshakeMilliseconds, audit);
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
    this.#unanswered.close();
    for (const { credential } of this.#schemes.values()) freeCredentialsHandle(credential);
  }

  /** A request has credentials of option `otherSchemes`: what its client was asked for before is answered. */
  answeredOtherwise(exchange: Exchange): void {
    if (hasConnection(exchange)) this.#unanswered.answeredOtherwise(exchange);
  }

  /** From now on no handshake begins. Calls a function when those that are pending have ended, or a time is over. */
  drain(milliseconds: number, ended: () => void): void {
    this.#draining = true;
    this.#pending.whenNone(milliseconds, ended);
  }

  /** A 401 that offers every scheme. */
  challenge(exchange: ChallengedExchange): Outcome {
    const { socket, rawHeaders } = exchange;
    if (socket !== undefined && rawHeaders !== undefined && authorizationField(rawHeaders) === undefined) {
      // The object itself: the schemes that are chosen for a request hang on it.
      this.#unanswered.challenged(exchange as ChallengedExchange & Pick<Exchange, 'socket' | 'rawHeaders'>);
    }
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
    this.#advice.look(exchange.socket);
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
    this.#unanswered.answered(exchange);
    const credentials = field === REPEATED ? undefined : parseCredentials(field);
    const restricted = this.#encryptedOnly(attempt);
    if (restricted !== undefined && !startsCredSsp(this.#schemes, credentials)) {
      return conclusions.refuseUnencrypted(attempt, restricted);
    }
    if (field === REPEATED) return conclusions.refuse(attempt, 400, repeatedAuthorization());
    if (credentials === undefined) return conclusions.refuse(attempt, 400, 'malformed-authorization');
    const scheme = this.#schemes.get(credentials.scheme);
    if (scheme === undefined || this.#closed) {
      return conclusions.refuse(attempt, 401, this.#notOffered(attempt, credentials), shownScheme(field, credentials));
    }
    if (!isChosen(exchange, scheme.name)) {
      return conclusions.refuse(attempt, 401, this.#notOffered(attempt, credentials), scheme);
    }
    if (scheme.boundTo === 'request') {
      return acceptDigestRequest(conclusions, attempt, scheme, credentials, attempt.target());
    }
    // Streams of one HTTP/2 connection may belong to different users, so RFC 9113 has no place for these schemes
    // (attack A13).
    if (exchange.httpVersionMajor !== 1 || !isOfferedOn(scheme, exchange.socket)) {
      return conclusions.refuse(attempt, 401, this.#notOffered(attempt, credentials), scheme);
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

  /** Which scheme the client used, and what it could have used. */
  #notOffered({ exchange }: Attempt, { scheme }: Credentials): RefusalCause {
    const used = writtenScheme(scheme);
    const offered = this.#closed ? [] : schemesFor(this.#schemes.values(), exchange).map(({ name }) => name);
    const fields = { used, offered };
    const known = this.#closed ? undefined : this.#schemes.get(scheme);
    const isKnown = known !== undefined && isChosen(exchange, known.name);
    const text = !isKnown
      ? reason('scheme-not-offered', fields)
      : exchange.httpVersionMajor === 1
        ? reason('scheme-not-without-tls', fields)
        : reason('scheme-not-over-http-2', fields);
    return { reason: 'scheme-not-offered', diagnosis: { text } };
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
    if (this.#closed) return this.#conclusions.challenge(exchange);
    if (attempt.anonymous) return anonymousOutcome;
    this.#unanswered.challenged(exchange);
    return this.#conclusions.challenge(exchange);
  }

  /** What did not answer in time; undefined if it was the client. */
  #silence({ verifying }: Connection): (Silence & { readonly scheme: OfferedScheme }) | undefined {
    const field = verifying === undefined ? undefined : authorizationField(verifying.rawHeaders);
    const credentials = typeof field === 'string' ? parseCredentials(field) : undefined;
    const scheme = credentials === undefined ? undefined : this.#schemes.get(credentials.scheme);
    if (credentials === undefined || scheme === undefined) return undefined;
    const { accounts, limits } = this.settings;
    const source = accounts && sourceName(accounts);
    return { ...silenceOf(credentials, scheme, source, limits.handshakeMilliseconds), scheme };
  }

  /** Logs a handshake that was abandoned. */
  #abandoned(why: Abandonment, connection: Connection): void {
    if (why === 'closed') return;
    const { phase, peer } = connection;
    if (why !== 'body') connection.interrupt(why);
    const handshake = phase.type === 'negotiating' ? phase : undefined;
    const scheme = handshake === undefined ? undefined : this.#schemes.get(handshake.scheme);
    const silence = why === 'deadline' ? this.#silence(connection) : undefined;
    const milliseconds = this.settings.limits.handshakeMilliseconds;
    const diagnosis =
      silence?.diagnosis ?? (why === 'deadline' ? reason('client-silent', { milliseconds }) : undefined);
    this.#audit.refused({
      scheme: silence?.scheme.name ?? scheme?.name,
      package: onlyPackageOf(silence?.scheme ?? scheme),
      account: silence?.account === undefined ? undefined : printable(silence.account),
      peer,
      reason: silence?.reason ?? abandonmentReasons[why],
      ...(diagnosis === undefined ? {} : { diagnosis }),
      durationMilliseconds:
        handshake === undefined ? milliseconds : millisecondsSince(handshake.startedAt, this.settings),
    });
  }
}

/** Whether a request begins a sign-in anew, within TLS of its own. */
function startsCredSsp(schemes: ReadonlyMap<string, OfferedScheme>, credentials: Credentials | undefined): boolean {
  return credentials !== undefined && schemes.get(credentials.scheme)?.innerTls !== undefined;
}

const repeatedAuthorization = (): RefusalCause => ({
  reason: 'repeated-authorization',
  diagnosis: { text: reason('authorization-repeated') },
});

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
