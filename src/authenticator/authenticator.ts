/**
 * One request on one connection in, one Outcome out. Knows no framework and no native library.
 *
 * The signed-in keep-alive request is answered synchronously and allocates nothing; every other is the acceptor's. For that
 * one request some of this file is written as V8 likes it, which bench/keep-alive.bench.ts shows.
 */
import { Acceptor } from './acceptor.ts';
import { Audit } from './audit.ts';
import { OptionError, SspiAuthError } from '../foundation/errors.ts';
import { reliesOnConnection } from '../http/authorization.ts';
import { Connection } from './connection.ts';
import { peerOf } from '../http/exchange.ts';
import type { Exchange } from '../http/exchange.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import { anonymousOutcome, refusedOutcome } from '../http/outcome.ts';
import type { AuthenticatedOutcome, HeaderField, Outcome, RefusedOutcome } from '../http/outcome.ts';
import type { Settings } from './options.ts';
import type { Clock } from '../foundation/clock.ts';
import { accountName } from '../identity/identity.ts';
import { isThenable } from '../foundation/thenable.ts';
import { printable } from '../foundation/text.ts';

/** Verifies requests. Make one with createAuthenticator. */
export class Authenticator<R = unknown> {
  readonly settings: Settings<R>;
  // First what every request reads: it lies in one line of the processor's cache.
  readonly #connections = new WeakMap<object, Connection>();
  /** Whether a standing identity is let in whatever the request: neither skip nor authorize has a say, and nobody has closed. */
  #unconditional: boolean;
  #closed = false;
  readonly #skip: Settings<R>['skip'];
  readonly #allows: Settings<R>['authorize'];
  readonly #clock: Clock;
  readonly #acceptor: Acceptor;
  readonly #audit: Audit;
  /** Requests verified before, so that the same middleware twice in a chain does not verify a token twice. */
  readonly #verified = new WeakMap<object, AuthenticatedOutcome>();
  /** Whose result a request was let in by, over all authenticators of the process. */
  static readonly #admittedBy = new WeakMap<object, unknown>();

  constructor(settings: Settings<R>, schemes: readonly OfferedScheme[]) {
    this.settings = settings;
    this.#unconditional = settings.skip === undefined && settings.authorize === undefined;
    this.#skip = settings.skip;
    this.#allows = settings.authorize;
    this.#clock = settings.clock;
    this.#audit = new Audit(settings.logger);
    this.#acceptor = new Acceptor(settings, schemes, this.#audit);
  }

  /** The schemes offered, in their order. */
  get schemes(): readonly string[] {
    return this.#acceptor.schemes;
  }

  /** How many handshakes wait for their client. */
  get pendingHandshakes(): number {
    return this.#acceptor.pendingHandshakes;
  }

  /**
   * Verifies a request.
   *
   * @param exchange the request as node:http has it
   * @param target the request target as on the wire (Express and Fastify change `url`: give the original), or what gives
   *   it of `request`, which is asked only where the credentials are of a scheme that needs it
   * @param request what `skip` and `authorize` are given
   * @returns the outcome; a promise only where somebody has to be asked. Never throws and never rejects
   */
  authenticate(exchange: Exchange, target: string | ((request: R) => string), request: R): Outcome | Promise<Outcome> {
    // What most requests are, told apart from all others by as few reads of memory as will do (bench/keep-alive).
    if (this.#unconditional) {
      const connection = this.#connections.get(exchange.socket);
      const outcome = connection?.busy === false ? connection.standing(this.#clock) : undefined;
      if (outcome !== undefined && reliesOnConnection(exchange.rawHeaders)) return outcome;
      return this.#verify(exchange, target, request);
    }
    return this.#consider(exchange, target, request);
  }

  /** A 401 that offers every scheme; for an application that lets anonymous requests in and now wants a user. */
  challenge(exchange: Pick<Exchange, 'httpVersionMajor'>): Outcome {
    return this.#acceptor.challenge(exchange);
  }

  /** Gives up every handshake and frees the credentials. Requests that still come are refused. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unconditional = false;
    this.#acceptor.close();
    const failed = (error: unknown): void => this.#audit.failed(error, 'closing the account source');
    try {
      const closing: unknown = this.settings.accounts?.close?.();
      if (isThenable(closing)) closing.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** With a `skip` or an `authorize` to ask, or closed. */
  #consider(exchange: Exchange, target: string | ((request: R) => string), request: R): Outcome | Promise<Outcome> {
    try {
      const skipped: unknown = this.#skip?.(request);
      if (skipped === true) return anonymousOutcome;
      if (isThenable(skipped)) return this.#notSkipped(skipped);
    } catch (error) {
      return this.#broken(error, 'the skip function');
    }
    const connection = this.#connections.get(exchange.socket);
    const outcome = this.#closed || connection?.busy !== false ? undefined : connection.standing(this.#clock);
    if (outcome !== undefined && reliesOnConnection(exchange.rawHeaders)) {
      return this.#authorize(outcome, exchange, request);
    }
    return this.#verify(exchange, target, request);
  }

  /** A promise is true to JavaScript and no answer: the request is neither skipped nor verified. */
  #notSkipped(skipped: PromiseLike<unknown>): Outcome {
    skipped.then(undefined, () => undefined);
    const cure = 'Give a function that answers at once: true, or anything else for a request that is to be verified.';
    return this.#broken(new OptionError('skip', 'returned a promise', cure), 'the skip function');
  }

  /** Stands apart: what its closures hold would be allocated for every request of `authenticate`. */
  #verify(exchange: Exchange, target: string | ((request: R) => string), request: R): Outcome | Promise<Outcome> {
    const known = this.#verified.get(exchange);
    // The credentials are verified once; whether the request may go on depends on where it has come to in the application.
    if (known !== undefined) return this.#authorize(known, exchange, request);
    const admittedBy = Authenticator.#admittedBy.get(exchange);
    if (admittedBy !== undefined && admittedBy !== this)
      return this.#broken(secondAuthenticator(), 'a second sspiAuth()');
    const targetOf = typeof target === 'string' ? () => target : () => target(request);
    const outcome = this.#acceptor.accept(exchange, this.#connectionOf(exchange), targetOf);
    const conclude = (verified: Outcome): Outcome | Promise<Outcome> => {
      if (verified.type !== 'authenticated') return verified;
      this.#verified.set(exchange, verified);
      Authenticator.#admittedBy.set(exchange, this);
      return this.#authorize(verified, exchange, request);
    };
    return outcome instanceof Promise ? outcome.then(conclude) : conclude(outcome);
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
      return isTrue(allowed) ? outcome : this.#forbidden(outcome, peerOf(exchange.socket));
    } catch (error) {
      return this.#broken(error, 'the authorize function', outcome.headers);
    }
  }

  #whenAllowed(allowed: PromiseLike<unknown>, outcome: AuthenticatedOutcome, exchange: Exchange): Promise<Outcome> {
    // A client that has gone when the answer comes can no longer be asked for.
    const peer = peerOf(exchange.socket);
    return Promise.resolve(allowed).then(
      (settled) => {
        if (this.#closed) return refusedOutcome(401);
        return isTrue(settled) ? outcome : this.#forbidden(outcome, peer);
      },
      (error: unknown) => this.#broken(error, 'the authorize function', outcome.headers),
    );
  }

  #forbidden({ user, sspi, headers }: AuthenticatedOutcome, peer: string | undefined): Outcome {
    this.#audit.refused({
      scheme: sspi.scheme,
      package: sspi.package,
      account: printable(accountName(user)),
      peer,
      reason: 'not-authorized',
      durationMilliseconds: 0,
    });
    return withFields(refusedOutcome(403), headers);
  }

  #broken(error: unknown, where: string, headers: readonly HeaderField[] = []): Outcome {
    this.#audit.failed(error, where);
    return withFields(refusedOutcome(500), headers);
  }
}

/** The client has signed in all the same: it is told how its handshake ended, with a proof of the server's own identity. */
function withFields(outcome: RefusedOutcome, headers: readonly HeaderField[]): Outcome {
  return headers.length === 0 ? outcome : { ...outcome, headers: [...outcome.headers, ...headers] };
}

/** The client answers one of the two at a time, and the other asks for ever. */
function secondAuthenticator(): SspiAuthError {
  return new SspiAuthError(
    'ERR_SSPI_AUTH_OPTION',
    'sspi-auth: another sspiAuth() has signed this request in already, and a connection can be signed in by one alone. ' +
      'Use one for the application; guard single routes by inGroup or a handler that looks at request.user',
  );
}

/** Anything but true is a no, whatever JavaScript takes for true and the types promise. */
function isTrue(allowed: unknown): boolean {
  return allowed === true;
}
