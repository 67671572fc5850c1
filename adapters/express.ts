/**
 * sspi-auth for Express 4 and 5, and for what calls middleware in the same way (connect).
 *
 * ```ts
 * app.use(sspiAuth({ accounts }));
 * app.get('/', (request, response) => response.send(`Hello ${request.user?.name}`));
 * ```
 */
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import {
  awaitResult,
  closing,
  createAuthenticator,
  holdContinue,
  holdFirstContinue,
  inGroup,
  isStanding,
  refuseFramework,
  requirement,
  signOut,
  writeOutcome,
} from '../src/index.ts';
import type {
  Authenticator,
  Close,
  Identity,
  Outcome,
  Revoke,
  SecurityContextInfo,
  SspiAuthOptions,
} from '../src/index.ts';

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express declares this namespace for extensions
  namespace Express {
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- others (Passport) extend this type as well
    interface User extends Identity {}
    interface Request {
      /** Who sent the request; undefined if `anonymous` or `skip` let it through. */
      user?: User | undefined;
      /** How the user was authenticated. */
      sspi?: SecurityContextInfo | undefined;
    }
  }
}

/** What Express gives a function that answers: option `refuse`. */
export type ExpressContext = readonly [request: Request, response: Response];

/** Options of the middleware. */
export type ExpressSspiAuthOptions = SspiAuthOptions<Request, ExpressContext>;

/** Express middleware, with its authenticator and functions that belong to it. */
export interface SspiAuthHandler extends RequestHandler {
  readonly authenticator: Authenticator<Request, ExpressContext>;
  /**
   * Middleware for a route that needs a user although others get by without one. Without a user it answers 401 with
   * every challenge.
   */
  readonly requireUser: RequestHandler;
  /** The same for a user who is in one of these groups; others get 403. See `inGroup`. */
  readonly requireGroup: (...sidsOrNames: readonly [string, ...string[]]) => RequestHandler;
  /**
   * Makes a server hold back `100 Continue` until the result. For the server of the first request, this is done
   * automatically.
   */
  readonly attach: (server: object) => void;
  /**
   * Signs the user of a request out: its session ends on every connection, and a mark in a cookie keeps the browser from
   * signing in again by itself. Call it on a POST of your own origin, before the response is sent. Needs option `session`.
   * Gives whether the store knows it: false while it is away.
   */
  readonly signOut: (request: Request, response: Response) => Promise<boolean>;
  /** Ends all sessions and standing sign-ins of a user. Gives whether the store knows it. Needs option `session`. */
  readonly revoke: Revoke;
  /** Abandons every handshake and frees the credentials; with `{ drain }` when those under way have ended. */
  readonly close: Close;
}

/**
 * Makes middleware that authenticates every request.
 *
 * @param options see SspiAuthOptions
 * @throws OptionError, SspiAuthError at start, if the options cannot be used or nothing can verify a client
 */
export function sspiAuth(options?: ExpressSspiAuthOptions): SspiAuthHandler {
  const authenticator = createAuthenticator(options);
  const { limits } = authenticator.settings;

  const serverIsKnown = holdFirstContinue();

  const carry = (request: Request, response: Response, next: NextFunction, outcome: Outcome): void => {
    if (!writeOutcome(request, response, outcome, limits, authenticator.refuser([request, response], next))) return;
    if (outcome.type === 'authenticated') ({ user: request.user, sspi: request.sspi } = outcome);
    next();
  };

  const carryWhenSettled = (
    request: Request,
    response: Response,
    next: NextFunction,
    outcome: Outcome | Promise<Outcome>,
  ): void => {
    refuseFramework('express', request);
    awaitResult(request, response);
    serverIsKnown();
    if (outcome instanceof Promise) outcome.then((settled) => carry(request, response, next, settled)).catch(next);
    else carry(request, response, next, outcome);
  };

  const handler = (request: Request, response: Response, next: NextFunction): void => {
    const outcome = authenticator.authenticate(request, targetOf, request);
    if (isStanding(outcome)) {
      ({ user: request.user, sspi: request.sspi } = outcome);
      next();
    } else {
      carryWhenSettled(request, response, next, outcome);
    }
  };

  return Object.assign(handler, {
    authenticator,
    requireUser: requiring(undefined, authenticator),
    requireGroup: (...sidsOrNames: readonly [string, ...string[]]) => requiring(inGroup(...sidsOrNames), authenticator),
    attach: (server: object) => {
      serverIsKnown();
      holdContinue(server);
    },
    signOut: (request: Request, response: Response) => signOut(authenticator, request, response),
    revoke: (user: Parameters<Revoke>[0]) => authenticator.revoke(user),
    close: closing(authenticator, serverIsKnown),
  });
}

function requiring(
  admits: ((user: Identity) => boolean) | undefined,
  own?: Authenticator<Request, ExpressContext>,
): RequestHandler {
  return (request, response, next) => {
    const lacking = requirement<Request, ExpressContext>(request, targetOf, request, request.user, admits, own);
    if (lacking === undefined) {
      next();
      return;
    }
    const { authenticator, outcome } = lacking;
    const refuser = authenticator.refuser([request, response], next);
    writeOutcome(request, response, outcome, authenticator.settings.limits, refuser);
  };
}

/**
 * Middleware for routes that need a user, where requests without one get by: by `anonymous`, or by `'pass'` of
 * `otherSchemes`. The 401 is that of the sspiAuth() before it.
 */
export const requireUser: RequestHandler = requiring(undefined);

/**
 * Middleware for routes that need a user in one of these groups: 401 without a user, 403 for others.
 *
 * @param sidsOrNames see `inGroup`
 */
export function requireGroup(...sidsOrNames: readonly [string, ...string[]]): RequestHandler {
  return requiring(inGroup(...sidsOrNames));
}

/** Express keeps the original; outside Express (connect, node:http, Socket.IO's `engine.use`) there may be `url` only. */
function targetOf({ originalUrl, url }: Partial<Request>): string {
  return originalUrl ?? url ?? '';
}

export default sspiAuth;
