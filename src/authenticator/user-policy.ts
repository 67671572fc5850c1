/** Whether a user who is known may have this request: option `authorize`, and the log of refusals that are policy. */
import { OptionError } from '../foundation/errors.ts';
import { printable } from '../foundation/text.ts';
import { isThenable } from '../foundation/thenable.ts';
import type { Exchange } from '../http/exchange.ts';
import { refusedOutcome } from '../http/outcome.ts';
import type { AuthenticatedOutcome, HeaderField, Outcome, RefusedOutcome } from '../http/outcome.ts';
import { accountName } from '../identity/identity.ts';
import type { Identity } from '../identity/identity.ts';
import { whyNotInGroup } from '../identity/in-group.ts';
import { AwaitedAnswers } from './awaited-answers.ts';
import type { Audit, AuditReason } from './audit.ts';
import { peerOfRequest, requestFacts } from './request-facts.ts';
import type { RequestFacts } from './request-facts.ts';
import type { OtherScheme } from './other-schemes.ts';
import { verifyOther } from './other-verification.ts';
import { chooseSchemes } from './scheme-choice.ts';
import { hasSealedBody } from './sealed-bodies.ts';

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
  /** Answers of `authorize` that are not there yet. */
  readonly awaited = new AwaitedAnswers();
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
      if (isThenable(allowed))
        return this.awaited.track(
          this.#whenAllowed(allowed, outcome, loggedRequest(exchange, request, target), allows),
        );
      return isTrue(allowed) ? outcome : this.forbidden(outcome, loggedRequest(exchange, request, target), allows);
    } catch (error) {
      return this.broken(error, 'the authorize function', loggedRequest(exchange, request, target), outcome.headers);
    }
  }

  #whenAllowed(
    allowed: PromiseLike<unknown>,
    outcome: AuthenticatedOutcome,
    logged: LoggedRequest,
    allows: Authorize<R>,
  ): Promise<Outcome> {
    return Promise.resolve(allowed).then(
      (settled) => {
        if (this.#isClosed()) return refusedOutcome(401);
        return isTrue(settled) ? outcome : this.forbidden(outcome, logged, allows);
      },
      (error: unknown) => this.broken(error, 'the authorize function', logged, outcome.headers),
    );
  }

  /**
   * 403, with a line in the log.
   *
   * @param guard the function that said no
   */
  forbidden(outcome: Omit<AuthenticatedOutcome, 'type' | 'standing'>, logged: LoggedRequest, guard: object): Outcome {
    this.refused(outcome, logged, 'not-authorized', whyNotInGroup(guard, outcome.user));
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

  /**
   * `skip` returned a promise. JavaScript takes it for true, but it is not an answer. So the request is neither skipped
   * nor verified, and gets 500.
   */
  notSkipped(skipped: PromiseLike<unknown>, logged: LoggedRequest): Outcome {
    skipped.then(undefined, () => undefined);
    const cure = 'Give a function that returns at once: true to skip the request, anything else to verify it.';
    return this.broken(new OptionError('skip', 'returned a promise', cure), 'the skip function', logged);
  }

  /** A request with credentials that the application verifies itself. It never comes to the connection. */
  verifyOther(
    other: OtherScheme<R>,
    exchange: Exchange,
    request: R,
    logged: LoggedRequest,
    { milliseconds, challenge }: { readonly milliseconds: number; readonly challenge: () => Outcome },
  ): Outcome | Promise<Outcome> {
    if (this.#isClosed()) return refusedOutcome(401);
    if (hasSealedBody(exchange)) return refusedOutcome(400);
    return verifyOther(other, request, milliseconds, {
      refused: () => {
        if (this.#isClosed()) return refusedOutcome(401);
        const record = { scheme: other.name, package: undefined, account: undefined, ...logged };
        this.#audit.refused({ ...record, reason: 'other-scheme-refused', durationMilliseconds: 0 });
        return challenge();
      },
      broken: (error) => this.broken(error, `otherSchemes.${other.name}`, logged),
    });
  }

  /** Asks `schemesFor`. Gives the answer if that fails. */
  choose(
    schemesFor: ((request: R) => unknown) | undefined,
    exchange: object,
    request: R,
    offered: readonly string[],
    logged: () => LoggedRequest,
  ): Outcome | undefined {
    if (schemesFor === undefined) return undefined;
    try {
      chooseSchemes(exchange, schemesFor(request), offered);
      return undefined;
    } catch (error) {
      return this.broken(error, 'the schemesFor function', logged());
    }
  }

  /** 403 because a page of another site had a request sent, with a line in the log. */
  crossSite(logged: LoggedRequest, evidence: string): Outcome {
    this.#audit.refused({
      scheme: undefined,
      package: undefined,
      account: undefined,
      reason: 'cross-site',
      diagnosis: printable(`${evidence}; option crossSite names the origins that may send such requests`, 1024),
      ...logged,
      durationMilliseconds: 0,
    });
    return refusedOutcome(403);
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
