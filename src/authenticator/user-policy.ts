/** Whether a user who is known may have this request: option `authorize`, and the log of refusals that are policy. */
import { printable } from '../foundation/text.ts';
import { isThenable } from '../foundation/thenable.ts';
import type { Exchange } from '../http/exchange.ts';
import { refusedOutcome } from '../http/outcome.ts';
import type { AuthenticatedOutcome, HeaderField, Outcome, RefusedOutcome } from '../http/outcome.ts';
import { accountName } from '../identity/identity.ts';
import type { Identity } from '../identity/identity.ts';
import type { Audit, AuditReason } from './audit.ts';
import { peerOfRequest, requestFacts } from './request-facts.ts';
import type { RequestFacts } from './request-facts.ts';

/** Decides whether a user is admitted; only `true` is a yes. */
export type Authorize<R> = (user: Identity, request: R) => boolean | Promise<boolean>;

/** What one route has in place of options: Fastify's `config: { sspi: { … } }`. */
export interface RoutePolicy<R> {
  /** In place of option `authorize`. */
  readonly authorize?: Authorize<R> | undefined;
  /** In place of option `anonymous`. */
  readonly anonymous?: boolean | undefined;
}

/** What the log says of a request. Made before anything is waited for: later its connection may be gone. */
export interface LoggedRequest extends RequestFacts {
  readonly peer: string | undefined;
}

/** The target of a request as sent on the wire, or a function that gives it. */
export type Target<R> = string | ((request: R) => string);

/** What the log says of a request. */
export function loggedRequest<R>(exchange: Exchange, request: R, target: Target<R>): LoggedRequest {
  return { peer: peerOfRequest(exchange), ...requestFacts(exchange, request, () => targetText(target, request)) };
}

/** The target of a request as text. */
export function targetText<R>(target: Target<R>, request: R): string {
  return typeof target === 'string' ? target : target(request);
}

export class UserPolicy<R> {
  readonly #audit: Audit;
  readonly #isClosed: () => boolean;

  /** @param isClosed whether the authenticator was closed while an answer was waited for */
  constructor(audit: Audit, isClosed: () => boolean) {
    this.#audit = audit;
    this.#isClosed = isClosed;
  }

  /**
   * Asks whether the user of an outcome may have a request. Allocates nothing where the answer is `true`.
   *
   * @param target the request target as sent on the wire, or what gives it
   */
  authorize(
    outcome: AuthenticatedOutcome,
    allows: Authorize<R> | undefined,
    exchange: Exchange,
    target: Target<R>,
    request: R,
  ): Outcome | Promise<Outcome> {
    if (allows === undefined) return outcome;
    try {
      const allowed: unknown = allows(outcome.user, request);
      if (isThenable(allowed)) return this.#whenAllowed(allowed, outcome, loggedRequest(exchange, request, target));
      return isTrue(allowed) ? outcome : this.forbidden(outcome, loggedRequest(exchange, request, target));
    } catch (error) {
      return this.broken(error, 'the authorize function', loggedRequest(exchange, request, target), outcome.headers);
    }
  }

  #whenAllowed(allowed: PromiseLike<unknown>, outcome: AuthenticatedOutcome, logged: LoggedRequest): Promise<Outcome> {
    return Promise.resolve(allowed).then(
      (settled) => {
        if (this.#isClosed()) return refusedOutcome(401);
        return isTrue(settled) ? outcome : this.forbidden(outcome, logged);
      },
      (error: unknown) => this.broken(error, 'the authorize function', logged, outcome.headers),
    );
  }

  /** 403, with a line in the log. */
  forbidden(outcome: Omit<AuthenticatedOutcome, 'type' | 'standing'>, logged: LoggedRequest): Outcome {
    this.refused(outcome, logged, 'not-authorized');
    return withFields(refusedOutcome(403), outcome.headers);
  }

  /** Logs that a request of a user who is known was refused. */
  refused(
    { user, sspi }: Pick<AuthenticatedOutcome, 'user' | 'sspi'>,
    logged: LoggedRequest,
    reason: AuditReason,
    diagnosis?: string,
  ): void {
    this.#audit.refused({
      scheme: sspi?.scheme,
      package: sspi?.package,
      account: shownAccount(user),
      reason,
      ...(diagnosis === undefined ? {} : { diagnosis }),
      ...logged,
      durationMilliseconds: 0,
    });
  }

  /** Logs that a request was refused because a page of another site had it sent. */
  refusedCrossSite(logged: LoggedRequest, evidence: string): void {
    this.#audit.refused({
      scheme: undefined,
      package: undefined,
      account: undefined,
      reason: 'cross-site',
      diagnosis: printable(`${evidence}; option crossSite names the origins that may send such requests`, 1024),
      ...logged,
      durationMilliseconds: 0,
    });
  }

  /** 500: a function of the application, or this library itself, failed. */
  broken(error: unknown, where: string, logged?: LoggedRequest, headers: readonly HeaderField[] = []): Outcome {
    this.#audit.failed(error, where, logged);
    return withFields(refusedOutcome(500), headers);
  }
}

/** The account of a user, for the log. A user whom the application has made may be any object. */
function shownAccount(user: Identity): string | undefined {
  const { userName, name } = user as { readonly userName?: unknown; readonly name?: unknown };
  if (typeof userName === 'string') return printable(accountName(user));
  return typeof name === 'string' ? printable(name) : undefined;
}

/**
 * Adds the fields of the handshake to a refusal. The client has signed in although it is refused, so it is told how its
 * handshake ended. The last token also proves the identity of the server.
 */
export function withFields(outcome: RefusedOutcome, headers: readonly HeaderField[]): Outcome {
  return { ...outcome, headers: [...outcome.headers, ...headers] };
}

/** Only `true` admits. Other values that JavaScript takes for true do not, whatever the types say. */
function isTrue(allowed: unknown): boolean {
  return allowed === true;
}
