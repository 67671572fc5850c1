/**
 * Takes one request on one connection and returns one Outcome. Knows no framework and no native library.
 *
 * A keep-alive request on a signed-in connection is answered synchronously and allocates nothing. Every other request
 * goes to the acceptor. For that one request, parts of this file are written to suit V8; bench/keep-alive.bench.ts
 * shows the effect.
 */
import { Acceptor } from './acceptor.ts';
import { beginUse, endUse } from './account-source-uses.ts';
import { auditOf } from './audit.ts';
import type { Audit, AuditReason } from './audit.ts';
import type { ChallengedExchange } from './challenge.ts';
import { OptionError, SspiAuthError } from '../foundation/errors.ts';
import { reliesOnConnection } from '../http/proxy-fields.ts';
import { Connection } from './connection.ts';
import { hasConnection, peerOf, withoutConnection } from '../http/exchange.ts';
import type { Exchange } from '../http/exchange.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import { refusedOutcome, skippedOutcome } from '../http/outcome.ts';
import type { AnonymousOutcome, AuthenticatedOutcome, HeaderField, Outcome, RefusedOutcome } from '../http/outcome.ts';
import type { Settings } from './options.ts';
import { hasSealedBody, openSealedBody } from './sealed-bodies.ts';
import type { Clock } from '../foundation/clock.ts';
import { accountName } from '../identity/identity.ts';
import { whyNotInGroup } from '../identity/in-group.ts';
import { isThenable } from '../foundation/thenable.ts';
import { printable } from '../foundation/text.ts';

type AdmittedOutcome = AuthenticatedOutcome | AnonymousOutcome;

/** A request with its outcomes, by the symbol of each authenticator. */
type AdmittedExchange = Exchange & Record<symbol, AdmittedOutcome | undefined>;

/** Verifies requests. Make one with createAuthenticator. */
export class Authenticator<R = unknown> {
  readonly settings: Settings<R>;
  // The fields that every request reads come first, so that they lie in one cache line of the processor.
  readonly #connections = new WeakMap<object, Connection>();
  /**
   * Whether the identity of a connection is admitted for every request: there is neither `skip` nor `authorize`, `close`
   * was not called, and requests can be given a property.
   */
  #unconditional: boolean;
  #closed = false;
  readonly #skip: Settings<R>['skip'];
  readonly #allows: Settings<R>['authorize'];
  readonly #clock: Clock;
  readonly #acceptor: Acceptor;
  readonly #audit: Audit;
  /**
   * Property of a request with the outcome that admitted it. The same middleware twice in a chain verifies a token once,
   * and a request keeps its identity, even if a pipelined request signs the connection in as another user meanwhile. A
   * property costs the most common request less than an entry of a WeakMap.
   */
  readonly #admission = Symbol('sspi-auth admission');
  /** The same for requests that cannot be given a property (frozen objects of other adapters). */
  readonly #fixedAdmissions = new WeakMap<object, AdmittedOutcome>();
  /** The authenticator that admitted a request, over all authenticators of the process. */
  static readonly #admittedBy = new WeakMap<object, unknown>();

  constructor(settings: Settings<R>, schemes: readonly OfferedScheme[]) {
    this.settings = settings;
    this.#unconditional = settings.skip === undefined && settings.authorize === undefined;
    this.#skip = settings.skip;
    this.#allows = settings.authorize;
    this.#clock = settings.clock;
    this.#audit = auditOf(settings);
    this.#acceptor = new Acceptor(settings, schemes, this.#audit);
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
   * @param request passed to `skip` and `authorize`
   * @returns the outcome; a promise only if something must be waited for. Never throws and never rejects
   */
  authenticate(exchange: Exchange, target: string | ((request: R) => string), request: R): Outcome | Promise<Outcome> {
    try {
      // The most common request. As few reads from memory as possible tell it from all others (bench/keep-alive).
      if (this.#unconditional && (exchange as AdmittedExchange)[this.#admission] === undefined) {
        const connection = this.#connections.get(exchange.socket);
        const outcome = connection?.busy === false ? connection.standing(this.#clock) : undefined;
        if (outcome !== undefined && reliesOnConnection(exchange.rawHeaders)) return this.#admit(exchange, outcome);
        return this.#verify(exchange, target, request);
      }
      return this.#consider(exchange, target, request);
    } catch (error) {
      // Not a request of node:http, nor anything like it.
      return this.#broken(error, 'reading a request');
    }
  }

  /**
   * A 401 that offers every scheme. For an application that admits anonymous requests but needs a user for this one.
   */
  challenge(exchange: ChallengedExchange): Outcome {
    return this.#acceptor.challenge(exchange);
  }

  /**
   * Abandons every handshake and frees the credentials. Later requests are refused. Closes the account source, if no
   * other authenticator uses it.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unconditional = false;
    this.#acceptor.close();
    const { accounts } = this.settings;
    if (accounts === undefined || !endUse(accounts)) return;
    const failed = (error: unknown): void => this.#audit.failedAside(error, 'closing the account source');
    try {
      const closing: unknown = accounts.close?.();
      if (isThenable(closing)) closing.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Handles a request if there is a `skip` or an `authorize`, or after `close`. */
  #consider(exchange: Exchange, target: string | ((request: R) => string), request: R): Outcome | Promise<Outcome> {
    // After `close` every request is refused, whatever `skip` would say.
    if (this.#closed) return this.#verify(exchange, target, request);
    try {
      const skipped: unknown = this.#skip?.(request);
      if (skipped === true) return hasSealedBody(exchange) ? refusedOutcome(400) : skippedOutcome;
      if (isThenable(skipped)) return this.#notSkipped(skipped);
    } catch (error) {
      return this.#broken(error, 'the skip function');
    }
    const connection = this.#connections.get(exchange.socket);
    const outcome = connection?.busy === false ? connection.standing(this.#clock) : undefined;
    const admitted = this.#admittedBefore(exchange);
    if (admitted === undefined && outcome !== undefined && reliesOnConnection(exchange.rawHeaders)) {
      return this.#authorize(this.#admit(exchange, outcome), exchange, request);
    }
    return this.#verify(exchange, target, request);
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

  /**
   * `skip` returned a promise. JavaScript takes it for true, but it is not an answer. So the request is neither skipped
   * nor verified, and gets 500.
   */
  #notSkipped(skipped: PromiseLike<unknown>): Outcome {
    skipped.then(undefined, () => undefined);
    const cure = 'Give a function that returns at once: true to skip the request, anything else to verify it.';
    return this.#broken(new OptionError('skip', 'returned a promise', cure), 'the skip function');
  }

  /** A method of its own: in `authenticate`, what its closures capture would be allocated for every request. */
  #verify(exchange: Exchange, target: string | ((request: R) => string), request: R): Outcome | Promise<Outcome> {
    const known = this.#admittedBefore(exchange);
    // Credentials are verified once. `authorize` is asked each time, because its answer may depend on how far the
    // request has come in the application.
    if (known !== undefined) return known.type === 'anonymous' ? known : this.#authorize(known, exchange, request);
    const admittedBy = Authenticator.#admittedBy.get(exchange);
    if (admittedBy !== undefined && admittedBy !== this)
      return this.#broken(secondAuthenticator(), 'a second sspiAuth()');
    const targetOf = typeof target === 'string' ? () => target : () => target(request);
    const carried = hasConnection(exchange) ? exchange : withoutConnection(exchange);
    const outcome = this.#acceptor.accept(carried, this.#connectionOf(carried), targetOf);
    const conclude = (verified: Outcome): Outcome | Promise<Outcome> => {
      if (verified.type === 'anonymous') return this.#admit(exchange, verified);
      if (verified.type !== 'authenticated') return verified;
      this.#admit(exchange, verified);
      Authenticator.#admittedBy.set(exchange, this);
      return this.#authorize(verified, exchange, request);
    };
    const open = (verified: Outcome): Outcome | Promise<Outcome> =>
      hasSealedBody(exchange) ? this.#open(exchange, verified).then(conclude) : conclude(verified);
    return outcome instanceof Promise ? outcome.then(open) : open(outcome);
  }

  /** Opens the encrypted body of a request that would be admitted. If that cannot be done, the request is refused. */
  #open(exchange: Exchange, verified: Outcome): Promise<Outcome> {
    if (verified.type === 'anonymous') return Promise.resolve(refusedOutcome(400));
    if (verified.type !== 'authenticated') return Promise.resolve(verified);
    const peer = peerOfRequest(exchange);
    return openSealedBody(exchange, verified.sspi).then(
      (problem) => {
        if (this.#closed) return refusedOutcome(401);
        if (problem === undefined) return verified;
        this.#refused(verified, peer, 'body-not-opened', problem);
        return withFields(refusedOutcome(400), verified.headers);
      },
      (error: unknown) => this.#broken(error, 'opening an encrypted body', verified.headers),
    );
  }

  #connectionOf(exchange: Exchange): Connection {
    let connection = this.#connections.get(exchange.socket);
    if (connection === undefined) {
      connection = new Connection(exchange.socket);
      this.#connections.set(exchange.socket, connection);
    }
    return connection;
  }

  #authorize(outcome: AuthenticatedOutcome, exchange: Exchange, request: R): Outcome | Promise<Outcome> {
    const allows = this.#allows;
    if (allows === undefined) return outcome;
    try {
      const allowed: unknown = allows(outcome.user, request);
      if (isThenable(allowed)) return this.#whenAllowed(allowed, outcome, exchange);
      return isTrue(allowed) ? outcome : this.#forbidden(outcome, peerOfRequest(exchange));
    } catch (error) {
      return this.#broken(error, 'the authorize function', outcome.headers);
    }
  }

  #whenAllowed(allowed: PromiseLike<unknown>, outcome: AuthenticatedOutcome, exchange: Exchange): Promise<Outcome> {
    // Ask for the peer now: if the client disconnects before the answer comes, its address is no longer known.
    const peer = peerOfRequest(exchange);
    return Promise.resolve(allowed).then(
      (settled) => {
        if (this.#closed) return refusedOutcome(401);
        return isTrue(settled) ? outcome : this.#forbidden(outcome, peer);
      },
      (error: unknown) => this.#broken(error, 'the authorize function', outcome.headers),
    );
  }

  #forbidden(outcome: AuthenticatedOutcome, peer: string | undefined): Outcome {
    const allows = this.#allows;
    const why = allows === undefined ? undefined : whyNotInGroup(allows, outcome.user);
    this.#refused(outcome, peer, 'not-authorized', why);
    return withFields(refusedOutcome(403), outcome.headers);
  }

  /** Logs that a request of a signed-in client was refused. */
  #refused(
    { user, sspi }: AuthenticatedOutcome,
    peer: string | undefined,
    reason: AuditReason,
    diagnosis?: string,
  ): void {
    this.#audit.refused({
      scheme: sspi.scheme,
      package: sspi.package,
      account: printable(accountName(user)),
      peer,
      reason,
      ...(diagnosis === undefined ? {} : { diagnosis }),
      durationMilliseconds: 0,
    });
  }

  #broken(error: unknown, where: string, headers: readonly HeaderField[] = []): Outcome {
    this.#audit.failed(error, where);
    return withFields(refusedOutcome(500), headers);
  }
}

/**
 * Adds the fields of the handshake to a refusal. The client has signed in although it is refused, so it is told how its
 * handshake ended. The last token also proves the identity of the server.
 */
function withFields(outcome: RefusedOutcome, headers: readonly HeaderField[]): Outcome {
  return { ...outcome, headers: [...outcome.headers, ...headers] };
}

/** A client answers only one of the two authenticators at a time, and the other would challenge it for ever. */
function secondAuthenticator(): SspiAuthError {
  return new SspiAuthError(
    'ERR_SSPI_AUTH_OPTION',
    'sspi-auth: another sspiAuth() has already signed this request in, and only one can sign a connection in. ' +
      'Use one for the whole application. Protect single routes with inGroup, or check request.user in the handler',
  );
}

function peerOfRequest(exchange: Exchange): string | undefined {
  return hasConnection(exchange) ? peerOf(exchange.socket) : undefined;
}

/** Only `true` admits. Other values that JavaScript takes for true do not, whatever the types say. */
function isTrue(allowed: unknown): boolean {
  return allowed === true;
}
