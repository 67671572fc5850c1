/**
 * The acceptor: from the Authorization field of a request to its outcome, through the state of its connection. One request
 * of a connection at a time; what goes on around it (skip, authorize, the signed-in request) is the authenticator's.
 */
import { authorizationField, parseCredentials, passedThroughProxy, REPEATED } from '../http/authorization.ts';
import type { Exchange } from '../http/exchange.ts';
import { anonymousOutcome, refusedOutcome } from '../http/outcome.ts';
import type { Outcome } from '../http/outcome.ts';
import { freeCredentialsHandle } from '../sspi/index.ts';
import type { Audit } from './audit.ts';
import { Conclusions, millisecondsSince, onlyPackageOf } from './conclusions.ts';
import type { AcceptorSettings, Attempt } from './conclusions.ts';
import type { Connection } from './connection.ts';
import { acceptDigestRequest } from './digest-request.ts';
import { acceptHandshakeRequest } from './handshake-request.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import { PendingHandshakes } from './pending-handshakes.ts';
import type { Abandonment } from './pending-handshakes.ts';

export class Acceptor {
  readonly settings: AcceptorSettings;
  readonly #schemes: ReadonlyMap<string, OfferedScheme>;
  readonly #pending: PendingHandshakes;
  readonly #audit: Audit;
  readonly #conclusions: Conclusions;
  #closed = false;

  constructor(settings: AcceptorSettings, schemes: readonly OfferedScheme[], audit: Audit) {
    this.settings = settings;
    this.#schemes = new Map(schemes.map((scheme) => [scheme.name.toLowerCase(), scheme]));
    this.#audit = audit;
    this.#pending = new PendingHandshakes(settings.limits, settings.clock, (why, connection) =>
      this.#abandoned(why, connection),
    );
    this.#conclusions = new Conclusions(settings, schemes, this.#pending, audit);
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
    this.#conclusions.close();
    this.#pending.close();
    for (const { credential } of this.#schemes.values()) freeCredentialsHandle(credential);
  }

  /** A 401 that offers every scheme. */
  challenge(exchange: Pick<Exchange, 'httpVersionMajor'>): Outcome {
    return this.#conclusions.challenge(exchange);
  }

  /**
   * Verifies one request when those before it on its connection have been verified.
   *
   * @param target gives the request target as on the wire
   */
  accept(exchange: Exchange, connection: Connection, target: () => string): Outcome | Promise<Outcome> {
    const attempt: Attempt = { exchange, connection, startedAt: startOf(connection) ?? this.settings.clock.elapsed() };
    return connection.inTurn(() => {
      const crashed = (error: unknown): Outcome => this.#conclusions.crashed(attempt, error);
      try {
        const outcome = this.#verify(attempt, target);
        return outcome instanceof Promise ? outcome.catch(crashed) : outcome;
      } catch (error) {
        return crashed(error);
      }
    });
  }

  #verify(attempt: Attempt, target: () => string): Outcome | Promise<Outcome> {
    const { exchange, connection } = attempt;
    const conclusions = this.#conclusions;
    // Requests that waited for one before them may have lost their client: nobody is asked for them (attack G10).
    if (exchange.socket.destroyed === true) {
      this.#pending.release(connection);
      return refusedOutcome(401);
    }
    const field = authorizationField(exchange.rawHeaders);
    if (field === undefined) return this.#withoutCredentials(attempt);
    if (field === REPEATED) return conclusions.refuse(attempt, 400, 'repeated-authorization');
    const credentials = parseCredentials(field);
    if (credentials === undefined) return conclusions.refuse(attempt, 400, 'malformed-authorization');
    const scheme = this.#schemes.get(credentials.scheme);
    if (scheme === undefined || this.#closed) return conclusions.refuse(attempt, 401, 'scheme-not-offered');
    if (scheme.boundTo === 'request') {
      return acceptDigestRequest(conclusions, attempt, scheme, credentials, target());
    }
    // Streams of one HTTP/2 connection may be of different users: RFC 9113 has no place for these schemes (attack A13).
    if (exchange.httpVersionMajor !== 1) return conclusions.refuse(attempt, 401, 'scheme-not-offered', scheme);
    return acceptHandshakeRequest(conclusions, attempt, scheme, credentials);
  }

  #withoutCredentials({ exchange, connection }: Attempt): Outcome {
    // A request that waited its turn may find the connection authenticated by the one before it.
    const standing = this.#closed ? undefined : connection.standing(this.settings.clock);
    // Its client may wait for `100 Continue`.
    if (standing !== undefined && !passedThroughProxy(exchange.rawHeaders)) return { ...standing, standing: false };
    this.#pending.release(connection);
    return this.settings.anonymous && !this.#closed ? anonymousOutcome : this.#conclusions.challenge(exchange);
  }

  /** A handshake was given up. */
  #abandoned(why: Abandonment, { phase, peer }: Connection): void {
    if (why === 'closed') return;
    const begun = phase.type === 'negotiating' ? phase : undefined;
    const scheme = begun === undefined ? undefined : this.#schemes.get(begun.scheme);
    this.#audit.refused({
      scheme: scheme?.name,
      package: onlyPackageOf(scheme),
      account: undefined,
      peer,
      reason: why === 'deadline' ? 'handshake-deadline' : 'handshake-evicted',
      durationMilliseconds:
        begun === undefined
          ? this.settings.limits.handshakeMilliseconds
          : millisecondsSince(begun.startedAt, this.settings),
    });
  }
}

/** When the handshake that is pending on a connection began. */
function startOf({ phase }: Connection): number | undefined {
  return phase.type === 'negotiating' ? phase.startedAt : undefined;
}
