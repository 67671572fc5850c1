/**
 * Takes one request on one connection and returns one Outcome. Knows no framework and no native library.
 *
 * A keep-alive request on a signed-in connection is answered synchronously and allocates nothing. Every other request
 * goes to the acceptor. For that one request, parts of this file are written to suit V8; bench/keep-alive.bench.ts
 * shows the effect.
 */
import { Acceptor } from './acceptor.ts';
import { beginUse, closeSource } from './account-source-uses.ts';
import { auditOf } from './audit.ts';
import type { Audit } from './audit.ts';
import type { ChallengedExchange } from './challenge.ts';
import { reliesOnConnection } from '../http/proxy-fields.ts';
import { drained, drainOf } from './closing.ts';
import type { CloseOptions } from './closing.ts';
import { Connection } from './connection.ts';
import { hasConnection, withoutConnection } from '../http/exchange.ts';
import type { Exchange } from '../http/exchange.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import { refusedOutcome, skippedOutcome } from '../http/outcome.ts';
import type { AnonymousOutcome, AuthenticatedOutcome, Outcome } from '../http/outcome.ts';
import type { Settings } from './options.ts';
import type { RefusalError } from '../http/refusal.ts';
import type { Refuser } from '../http/response.ts';
import { hasOtherScheme, otherSchemeOf, passWarning } from './other-schemes.ts';
import { hasAuthorization } from '../http/authorization.ts';
import { mayComeFromAnywhere } from '../http/cross-site.ts';
import { crossSiteProblem, proves } from './cross-site-policy.ts';
import { admittedBy, authenticatorOf, byAdmission, handledBy, secondAuthenticator } from './handled-requests.ts';
import { openBodyOf } from './opened-request.ts';
import { hasSealedBody } from './sealed-bodies.ts';
import { isSignedOut, needed, SessionProof, signedOutChallenge, signedOutOutcome, withMore } from './session-proof.ts';
import type { RevokedUser, SignedOut } from './session-proof.ts';
import { Sessions } from './sessions.ts';
import { refuserOf } from './refuser.ts';
import { loggedRequest, targetText, UserPolicy } from './user-policy.ts';
import type { LoggedRequest, RoutePolicy, Target } from './user-policy.ts';
import type { Clock } from '../foundation/clock.ts';
import type { Identity } from '../identity/identity.ts';
import { isThenable } from '../foundation/thenable.ts';

type AdmittedOutcome = AuthenticatedOutcome | AnonymousOutcome;

/** A request with its outcomes, by the symbol of each authenticator. */
type AdmittedExchange = Exchange & Record<symbol, AdmittedOutcome | undefined>;

/** Verifies requests. Make one with createAuthenticator. */
export class Authenticator<R = unknown, C extends readonly unknown[] = never> {
  readonly settings: Settings<R, C>;
  // The fields that every request reads come first, so that they lie in one cache line of the processor.
  readonly #connections = new WeakMap<object, Connection>();
  /**
   * Whether the identity of a connection is admitted for every request: there is neither `skip` nor `authorize`, `close`
   * was not called, and requests can be given a property.
   */
  #unconditional: boolean;
  #closed = false;
  readonly #skip: Settings<R, C>['skip'];
  readonly #allows: Settings<R, C>['authorize'];
  readonly #clock: Clock;
  readonly #acceptor: Acceptor;
  readonly #audit: Audit;
  readonly #policy: UserPolicy<R>;
  /**
   * Property of a request with the outcome that admitted it: it is verified once, and keeps its identity even if another
   * one signs its connection in meanwhile. A property costs the most common request less than an entry of a WeakMap.
   */
  readonly #admission = Symbol('sspi-auth admission');
  /** The same for requests that cannot be given a property (frozen objects of other adapters). */
  readonly #fixedAdmissions = new WeakMap<object, AdmittedOutcome>();
  /** Cookies of sessions, with the connection's identity and credentials in their order; see option `session`. */
  readonly #proof: SessionProof | undefined;

  /** The authenticator that a request has come through; undefined if there was none. */
  static of(exchange: object): Authenticator<never> | undefined {
    return authenticatorOf(exchange) as Authenticator<never> | undefined;
  }

  constructor(settings: Settings<R, C>, schemes: readonly OfferedScheme[]) {
    this.settings = settings;
    const { session, skip, authorize } = settings;
    this.#unconditional = skip === undefined && authorize === undefined && session === undefined;
    this.#skip = settings.skip;
    this.#allows = settings.authorize;
    this.#clock = settings.clock;
    this.#audit = auditOf(settings);
    this.#policy = new UserPolicy(this.#audit, () => this.#closed);
    this.#acceptor = new Acceptor(settings, schemes, this.#audit);
    this.#proof =
      session === undefined ? undefined : new SessionProof(new Sessions(session, settings, schemes, this.#audit));
    byAdmission.set(this.#admission, this);
    const warning = settings.otherSchemes === undefined ? undefined : passWarning(settings.otherSchemes);
    if (warning !== undefined) this.#audit.warn(warning);
    if (settings.accounts !== undefined) beginUse(settings.accounts);
  }

  /** The schemes offered, in their order. */
  get schemes(): readonly string[] {
    return this.#acceptor.schemes;
  }

  /** How many handshakes wait for their client's next token. */
  get pendingHandshakes(): number {
    return this.#acceptor.pendingHandshakes;
  }

  /**
   * Verifies a request.
   *
   * @param exchange the request, as node:http has it
   * @param target the request target as sent on the wire (Express and Fastify change `url`: pass the original), or a
   *   function that returns it for `request`; the function is called only for a scheme that needs the target
   * @param request passed to `skip`, `authorize` and the other functions of the options
   * @param route what its route has in place of options
   * @returns the outcome; a promise only if something must be waited for. Never throws and never rejects
   */
  authenticate(exchange: Exchange, target: Target<R>, request: R, route?: RoutePolicy<R>): Outcome | Promise<Outcome> {
    try {
      // The most common request. As few reads from memory as possible tell it from all others (bench/keep-alive).
      if (
        this.#unconditional &&
        route === undefined &&
        (exchange as AdmittedExchange)[this.#admission] === undefined &&
        mayComeFromAnywhere(exchange)
      ) {
        const connection = this.#connections.get(exchange.socket);
        const outcome = connection?.busy === false ? connection.standing(this.#clock) : undefined;
        if (outcome !== undefined && reliesOnConnection(exchange.rawHeaders)) return this.#admit(exchange, outcome);
        return this.#verify(exchange, target, request, undefined);
      }
      return this.#consider(exchange, target, request, route);
    } catch (error) {
      // Not a request of node:http, nor anything like it.
      return this.#policy.broken(error, 'reading a request');
    }
  }

  /**
   * A 401 that offers every scheme, or those that `schemesFor` chooses, where a request needs a user after all.
   *
   * @param request the framework's request, for `schemesFor`
   */
  challenge(exchange: ChallengedExchange, request?: R): Outcome {
    if (request !== undefined) {
      const failed = this.#policy.choose(this.settings.schemesFor, exchange, request, this.schemes, () => ({
        peer: undefined,
      }));
      if (failed !== undefined) return failed;
    }
    if (isSignedOut(exchange)) return signedOutChallenge(this.settings.realm);
    return this.#acceptor.challenge(exchange);
  }

  /**
   * Lets the application answer a refusal, for `writeOutcome` and `holdRefusal`. Undefined without option `refuse`.
   *
   * @param context what the framework gives a function that answers
   * @param handOn gives an error to the error handlers of the framework
   */
  refuser(context: C, handOn: (error: RefusalError) => unknown): Refuser | undefined {
    return refuserOf<R, C>(this.settings, this.#audit, context, handOn);
  }

  /**
   * A 403 for a request of this user, with a line in the log.
   *
   * @param guard the function that said no
   */
  forbid(exchange: Exchange, target: Target<R>, request: R, user: Identity, guard: object): Outcome {
    const known = this.#admittedBefore(exchange);
    const sspi = known?.type === 'authenticated' ? known.sspi : undefined;
    const logged = loggedRequest(exchange, request, target);
    return this.#policy.forbidden({ user, sspi, headers: [] }, logged, guard);
  }

  /**
   * Abandons every handshake and frees the credentials. Later requests are refused. Closes the account source, if no
   * other authenticator uses it.
   */
  close(): void;
  /**
   * The same when the handshakes under way have ended, or after `drain` milliseconds. Until then no new ones begin (503),
   * and connections that are signed in stay so.
   *
   * @throws OptionError if `drain` is no number of milliseconds
   */
  close(options: CloseOptions): Promise<void>;
  close(options?: CloseOptions): Promise<void> | undefined {
    if (options !== undefined) {
      const { awaited } = this.#policy;
      return drained(drainOf(options), this.#clock, this.#acceptor, awaited).then(() => this.#end());
    }
    this.#end();
    return undefined;
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unconditional = false;
    this.#acceptor.close();
    closeSource(this.settings.accounts, this.#audit);
  }

  /** Handles a request if there is a `skip` or an `authorize`, a policy of its route, or after `close`. */
  #consider(
    exchange: Exchange,
    target: Target<R>,
    request: R,
    route: RoutePolicy<R> | undefined,
  ): Outcome | Promise<Outcome> {
    // After `close` every request is refused, whatever `skip` would say.
    if (this.#closed) return this.#verify(exchange, target, request, route);
    try {
      const skipped: unknown = this.#skip?.(request);
      if (skipped === true)
        return hasSealedBody(exchange) ? refusedOutcome(400) : this.#handled(exchange, skippedOutcome);
      if (isThenable(skipped)) return this.#policy.notSkipped(skipped, loggedRequest(exchange, request, target));
    } catch (error) {
      return this.#policy.broken(error, 'the skip function', loggedRequest(exchange, request, target));
    }
    if (this.#admittedBefore(exchange) !== undefined) return this.#verify(exchange, target, request, route);
    const connection = hasConnection(exchange) ? this.#connections.get(exchange.socket) : undefined;
    if (!mayComeFromAnywhere(exchange)) {
      const anonymous = route?.anonymous ?? this.settings.anonymous;
      const concerned = !anonymous || proves(exchange, connection, this.#clock, this.#proof);
      const evidence = concerned ? crossSiteProblem(exchange, this.settings) : undefined;
      if (evidence !== undefined) return this.#policy.crossSite(loggedRequest(exchange, request, target), evidence);
    }
    if (this.#proof !== undefined) {
      const decided = this.#bySession(this.#proof, exchange, connection, target, request, route);
      if (decided !== undefined) return decided;
    }
    const outcome = connection?.busy === false ? connection.standing(this.#clock) : undefined;
    if (outcome !== undefined && reliesOnConnection(exchange.rawHeaders)) {
      return this.#authorize(this.#admit(exchange, outcome), exchange, target, request, route);
    }
    return this.#verify(exchange, target, request, route);
  }

  /** A request whose cookies say who sends it, or that nobody may. Undefined: they say nothing, or something goes before. */
  #bySession(
    proof: SessionProof,
    exchange: Exchange,
    known: Connection | undefined,
    target: Target<R>,
    request: R,
    route: RoutePolicy<R> | undefined,
  ): Outcome | Promise<Outcome> | undefined {
    if (!hasConnection(exchange) || hasOtherScheme(this.settings.otherSchemes, exchange.rawHeaders)) return undefined;
    const connection = known ?? this.#connectionOf(exchange);
    const found = proof.of(exchange, connection, target, request);
    if (typeof found === 'object') {
      return this.#authorize(this.#admit(exchange, found), exchange, target, request, route);
    }
    if (found === undefined || (found === 'signingIn' && hasAuthorization(exchange))) return undefined;
    if (found !== 'unopened') {
      if (hasSealedBody(exchange)) return refusedOutcome(400);
      const anonymous = route?.anonymous ?? this.settings.anonymous;
      if (!anonymous) return this.challenge(exchange, request);
      return this.#handled(exchange, this.#admit(exchange, signedOutOutcome));
    }
    return proof.open(exchange, connection, request).then((opened) => {
      if (this.#closed) return refusedOutcome(401);
      if ('error' in opened) {
        return this.#policy.broken(opened.error, 'the enrich function', loggedRequest(exchange, request, target));
      }
      if ('type' in opened) return this.#authorize(this.#admit(exchange, opened), exchange, target, request, route);
      const outcome = this.#verify(exchange, target, request, route);
      return outcome instanceof Promise ? outcome.then((own) => withMore(own, opened)) : withMore(outcome, opened);
    });
  }

  /**
   * Signs the user of a request out, on every connection, and in other processes as soon as the store has told them.
   *
   * @throws OptionError without option `session`
   */
  signOut(exchange: Exchange): SignedOut {
    const known = this.#admittedBefore(exchange);
    const user = known?.type === 'authenticated' ? known : undefined;
    return needed(this.#proof, 'signOut').signOut(exchange, this.#connections.get(exchange.socket), user);
  }

  /**
   * Ends all sessions and standing sign-ins of a user.
   *
   * @returns whether the store knows it: false while it is away; it is then told later
   * @throws OptionError without option `session`
   */
  revoke(user: RevokedUser): Promise<boolean> {
    return needed(this.#proof, 'revoke').sessions.ended.endAll(user);
  }

  /** The outcome that admitted a request before; undefined if this is the first time that it comes by. */
  #admittedBefore(exchange: Exchange): AdmittedOutcome | undefined {
    return (exchange as AdmittedExchange)[this.#admission] ?? this.#fixedAdmissions.get(exchange);
  }

  /** Remembers the outcome that admits a request, and returns it. */
  #admit<O extends AdmittedOutcome>(exchange: Exchange, outcome: O): O {
    try {
      (exchange as AdmittedExchange)[this.#admission] = outcome;
    } catch {
      this.#fixedAdmissions.set(exchange, outcome);
      // The shorter way does not look there.
      this.#unconditional = false;
    }
    return outcome;
  }

  /** Remembers that a request was let through without a user, for `of`. */
  #handled(exchange: Exchange, outcome: AnonymousOutcome): AnonymousOutcome {
    handledBy.set(exchange, this);
    return outcome;
  }

  /** A method of its own: in `authenticate`, its closures would be allocated for every request. */
  #verify(
    exchange: Exchange,
    target: Target<R>,
    request: R,
    route: RoutePolicy<R> | undefined,
  ): Outcome | Promise<Outcome> {
    const known = this.#admittedBefore(exchange);
    const targetOf = (): string => targetText(target, request);
    const logged = (): LoggedRequest => loggedRequest(exchange, request, target);
    // Credentials are verified once. `authorize` is asked each time, because its answer may depend on how far the
    // request has come in the application.
    if (known !== undefined)
      return known.type === 'anonymous' ? known : this.#authorize(known, exchange, target, request, route);
    const before = admittedBy.get(exchange);
    if (before !== undefined && before !== this) {
      return this.#policy.broken(secondAuthenticator(), 'a second sspiAuth()', logged());
    }
    const conclude = (verified: Outcome): Outcome | Promise<Outcome> => {
      return this.#begin(verified, exchange, request)?.then(finish) ?? finish(verified);
    };
    const finish = (verified: Outcome): Outcome | Promise<Outcome> => {
      if (verified.type === 'anonymous') {
        const outcome = this.#proof === undefined || verified === skippedOutcome ? verified : signedOutOutcome;
        return this.#handled(exchange, this.#admit(exchange, outcome));
      }
      if (verified.type !== 'authenticated') return verified;
      if (this.#closed) return refusedOutcome(401);
      this.#admit(exchange, verified);
      admittedBy.set(exchange, this);
      return this.#authorize(verified, exchange, target, request, route);
    };
    const { otherSchemes } = this.settings;
    const other = otherSchemes === undefined ? undefined : otherSchemeOf(otherSchemes, exchange.rawHeaders);
    if (other !== undefined) {
      this.#acceptor.answeredOtherwise(exchange);
      const outcome = this.#policy.verifyOther(other, exchange, request, logged(), {
        milliseconds: this.settings.limits.handshakeMilliseconds,
        challenge: () => this.challenge(exchange, request),
      });
      return outcome instanceof Promise ? outcome.then(conclude) : conclude(outcome);
    }
    const carried = hasConnection(exchange) ? exchange : withoutConnection(exchange);
    const failed = this.#policy.choose(this.settings.schemesFor, carried, request, this.schemes, logged);
    if (failed !== undefined) return failed;
    const arrival = { request, target: targetOf, anonymous: route?.anonymous ?? this.settings.anonymous };
    const outcome = this.#acceptor.accept(carried, this.#connectionOf(carried), arrival);
    const open = (verified: Outcome): Outcome | Promise<Outcome> =>
      hasSealedBody(exchange)
        ? openBodyOf(exchange, verified, this.#policy, logged(), () => this.#closed).then(conclude)
        : conclude(verified);
    return outcome instanceof Promise ? outcome.then(open) : open(outcome);
  }

  /** Begins the session of a user who has just signed in. */
  #begin(verified: Outcome, exchange: Exchange, request: R): Promise<Outcome> | undefined {
    const proof = this.#proof;
    if (proof === undefined || verified.type !== 'authenticated' || verified.sspi === undefined || this.#closed)
      return undefined;
    if (!hasConnection(exchange) || !hasAuthorization(exchange)) return undefined;
    return proof.begin(verified, exchange, this.#connectionOf(exchange), request, verified.sspi.scheme === 'Digest');
  }

  #connectionOf(exchange: Exchange): Connection {
    let connection = this.#connections.get(exchange.socket);
    if (connection === undefined) {
      connection = new Connection(exchange.socket);
      if (this.#proof !== undefined) connection.holds = this.#proof.sessions.holdsSignIn;
      this.#connections.set(exchange.socket, connection);
    }
    return connection;
  }

  #authorize(
    outcome: AuthenticatedOutcome,
    exchange: Exchange,
    target: Target<R>,
    request: R,
    route: RoutePolicy<R> | undefined,
  ): Outcome | Promise<Outcome> {
    return this.#policy.authorize(outcome, route?.authorize ?? this.#allows, exchange, target, request);
  }
}
